// A way to search a text for every pattern of the detectors.

export interface ScanAnswer {
  readonly megabytesPerSecond: number;
  /** Found in one pass. */
  readonly hits: number;
}

export interface ScanContender {
  readonly id: string;
  /** Stands in the tables. */
  readonly name: string;
  readonly isPeer: boolean;
  /** Its process: a script of ours with this argument, or a mode of scanner.py. */
  readonly runs: 'node' | 'python';
}

/** Ours first. */
export const scanContenders: readonly ScanContender[] = [
  { id: 'writ', name: 'ours: start and end of each hit, validated', isPeer: false, runs: 'node' },
  { id: 'regexp', name: 'Node’s RegExp, one pattern after another', isPeer: false, runs: 'node' },
  { id: 'hyperscan', name: 'Hyperscan, with starts', isPeer: true, runs: 'python' },
  { id: 're2-set', name: 'RE2 Set: which patterns occur, not where', isPeer: true, runs: 'python' },
  { id: 're2', name: 'RE2, one pattern after another', isPeer: true, runs: 'python' },
];
