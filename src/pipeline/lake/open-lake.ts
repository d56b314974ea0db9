/** Opens a lake where the settings say it is. */

import type { LakePlace } from "../../config/places.ts";
import { LakeFolder } from "./lake-folder.ts";
import { LakeS3, type S3Options } from "./lake-s3.ts";
import type { LakeStorage } from "./storage.ts";

export const openLake = (place: LakePlace, options: S3Options = {}): LakeStorage =>
  place.type === "folder" ? new LakeFolder(place.path) : new LakeS3(place, options);
