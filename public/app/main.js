// The script of every page. It runs after the document is parsed and before htmx, because `setUpConnection` must listen
// before htmx connects.

import { setUpActions } from "./jobs/actions.js";
import { setUpHoverCards } from "./jobs/hover-cards.js";
import { setUpJump } from "./jobs/jump.js";
import { setUpRowIds } from "./jobs/row-ids.js";
import { setUpRowMenu } from "./jobs/row-menu.js";
import { setUpRowOrder } from "./jobs/row-order.js";
import { setUpSelection } from "./jobs/selection.js";
import { setUpConnection } from "./live/connection.js";
import { setUpFreshness } from "./live/freshness.js";
import { setUpLogPanel } from "./live/log-panel.js";
import { setUpNotifications } from "./live/notifications.js";
import { setUpTabState } from "./live/tab-state.js";
import { setUpAutocomplete } from "./ui/autocomplete.js";
import { setUpClock } from "./ui/clock.js";
import { setUpCommandPalette } from "./ui/command-palette.js";
import { setUpCopy } from "./ui/copy.js";
import { setUpFocus } from "./ui/focus.js";
import { setUpParts } from "./ui/parts.js";
import { setUpShortcuts } from "./ui/shortcuts.js";
import { setUpSymbolField } from "./ui/symbol-field.js";
import { setUpUrlState } from "./ui/url-state.js";

// The others look for what these add.
setUpParts();
setUpRowIds();
setUpClock();
setUpConnection();
setUpFreshness();
setUpLogPanel();
setUpTabState();
setUpRowOrder();
setUpSelection();
setUpRowMenu();
setUpHoverCards();
setUpActions();
setUpFocus();
setUpJump();
setUpAutocomplete();
setUpSymbolField();
setUpUrlState();
setUpCopy();
setUpShortcuts();
setUpCommandPalette();
setUpNotifications();
