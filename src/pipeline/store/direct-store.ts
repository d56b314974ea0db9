/** The job store over a database connection of this thread. */

import { recordStatements } from "../../storage/alerts/outbox.ts";
import type { Database } from "../../storage/db.ts";
import { readStarts } from "../../storage/market/arrivals.ts";
import * as bars from "../../storage/market/bars.ts";
import { listActions, storeActions } from "../../storage/market/corporate-actions.ts";
import { listFindings, readDays, readVolumes, replaceFindings } from "../../storage/market/quality/findings.ts";
import { listGaps, recordAnswer, replaceGaps, saveGapRules } from "../../storage/market/quality/gaps.ts";
import { moveJumps, readJumps } from "../../storage/market/quality/jump-bars.ts";
import * as rebuild from "../../storage/market/rebuild.ts";
import { foreignBars, markProvisional } from "../../storage/market/revisions.ts";
import { readSeries, saveListing } from "../../storage/market/series.ts";
import { barRange, countSessions, dayCounts, readMinutes } from "../../storage/market/session-bars.ts";
import * as profiles from "../../storage/profiles/profiles.ts";
import { learnPlanFacts, readPlanFacts } from "../../storage/quotas/plan-facts.ts";
import { answersOfRun } from "../../storage/runs/answers.ts";
import * as ledger from "../../storage/runs/batches.ts";
import * as jobs from "../../storage/runs/jobs.ts";
import { asOfRun, symbolsOfRun } from "../../storage/runs/runs.ts";
import * as prune from "../../storage/series/prune.ts";
import type { JobStore } from "./job-store.ts";

export function directJobStore(db: Database): JobStore {
  return {
    flush: () => db.flush(),

    findJobWork: (...args) => jobs.findJobWork(db, ...args),
    savePlanStart: (...args) => jobs.savePlanStart(db, ...args),
    saveWork: (jobId, work) => db.write([jobs.saveWorkTime(jobId, work)]),
    completeJob: (job, work, mayWait) =>
      db.write([jobs.completeJob(job, Date.now()), jobs.saveWorkTime(job.jobId, work)], mayWait),
    storeProfile: (profile, job, work, mayWait) =>
      profiles.storeProfile(db, profile, job, [jobs.saveWorkTime(job.jobId, work)], mayWait),
    currentGaps: (...args) => profiles.currentGaps(db, ...args),
    findProfile: (...args) => profiles.profileRange(db, ...args),
    findFeatureState: async (...args) => (await profiles.findFeatureState(db, ...args))?.state,

    lastBarsOf: (...args) => profiles.lastBarsOf(db, ...args),
    symbolsOfRun: (...args) => symbolsOfRun(db, ...args),
    asOfRun: (...args) => asOfRun(db, ...args),
    planFacts: (...args) => readPlanFacts(db, ...args),
    learnPlan: (...args) => learnPlanFacts(db, ...args),

    seriesId: (...args) => bars.seriesId(db, ...args),
    readSeries: (...args) => readSeries(db, ...args),
    saveListing: (...args) => saveListing(db, ...args),
    pruneSeries: (...args) => prune.pruneSeries(db, ...args),
    keepFrom: (...args) => prune.keepFrom(db, ...args),
    seriesFacts: (...args) => bars.seriesFacts(db, ...args),
    barsIdOf: (...args) => bars.barsIdOf(db, ...args),
    countBars: (...args) => bars.countBars(db, ...args),
    readBars: (...args) => bars.readBars(db, ...args),
    readLastBars: (...args) => bars.readLastBars(db, ...args),
    readStarts: (...args) => readStarts(db, ...args),
    foreignBars: (...args) => foreignBars(db, ...args),
    readJumps: (...args) => readJumps(db, ...args),
    moveJumps: (...args) => moveJumps(db, ...args),
    listActions: (...args) => listActions(db, ...args),
    storeActions: (...args) => storeActions(db, ...args),

    readDays: (...args) => readDays(db, ...args),
    readVolumes: (...args) => readVolumes(db, ...args),
    listFindings: (...args) => listFindings(db, ...args),
    replaceFindings: (series, change, events) => replaceFindings(db, series, change, recordStatements(events)),
    listGaps: (...args) => listGaps(db, ...args),
    replaceGaps: (series, from, found, events) => replaceGaps(db, series, from, found, recordStatements(events)),
    saveGapRules: (series) => db.write([saveGapRules(series)]),
    barRange: (...args) => barRange(db, ...args),
    dayCounts: (...args) => dayCounts(db, ...args),
    countSessions: (...args) => countSessions(db, ...args),
    readMinutes: (...args) => readMinutes(db, ...args),

    windowsOfRun: (...args) => ledger.windowsOfRun(db, ...args),
    answeredWindows: (...args) => ledger.answeredWindows(db, ...args),
    unansweredWindows: (...args) => ledger.unansweredWindows(db, ...args),
    windowsAsOf: (...args) => ledger.windowsAsOf(db, ...args),
    answersOfRun: (...args) => answersOfRun(db, ...args),
    saveFailedBatch: (...args) => ledger.storeFailedBatch(db, ...args),
    saveLeftOut: (...args) => ledger.storeLeftOut(db, ...args),
    saveBatch({ answeredGaps, events, provisional, ...batch }) {
      const { seriesId, runId, window } = batch;
      const extraWrites = [
        ...(answeredGaps === undefined ? [] : [recordAnswer(seriesId, runId, window, answeredGaps.breaks)]),
        ...recordStatements(events),
        ...(provisional === undefined ? [] : [markProvisional(provisional.series, provisional.from)]),
      ];
      return ledger.storeBatch(db, { ...batch, extraWrites });
    },

    findStaging: (...args) => rebuild.findStaging(db, ...args),
    openStaging: (...args) => rebuild.openStaging(db, ...args),
    compareStaging: (...args) => rebuild.compareStaging(db, ...args),
    copyBars: (...args) => rebuild.copyBars(db, ...args),
    swapStaging: (swap, events) => rebuild.swapStaging(db, swap, recordStatements(events)),
    archiveReplaced: (...args) => rebuild.archiveReplaced(db, ...args),
  };
}
