/** What a rule keeps of exchanges, by what it is kept for: samples go to reviewers, records to the disk first. */
import type { KeptExchange } from '../../../proto/gen/writ/v1/filter_keeps_pb.ts';
import type { RecordKeeper } from './record-keeper.ts';
import type { SampleSender } from './sample-sender.ts';

export interface Keeps {
  /** Whether the record of an exchange that has not gone on yet is on disk. Never throws. */
  begin(kept: KeptExchange): boolean;
  /** The exchange is over. Never throws. */
  end(kept: KeptExchange): void;
}

export function keepsOf(samples: Pick<SampleSender, 'add'>, records: Pick<RecordKeeper, 'keep'>): Keeps {
  return {
    begin: (kept) => records.keep(kept),
    end: (kept) => {
      const forReview = kept.keeps.filter(({ reviewers }) => reviewers !== '');
      if (forReview.length > 0) samples.add({ ...kept, keeps: forReview });
      if (kept.keeps.length > forReview.length) records.keep(kept);
    },
  };
}
