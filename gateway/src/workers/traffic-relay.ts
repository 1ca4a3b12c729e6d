import { trafficService } from '@headrace/proto';
import type { ExplainResponse, LimitsResponse } from '@headrace/proto';
import type { Logger } from '@headrace/runtime';
import { mergeExplanations, mergeLimits } from './merge-traffic.js';
import type { QuestionKind } from './messages.js';
import type { Siblings } from './sibling-questions.js';

/** The questions of headrace.v1.Traffic, as one worker answers them for itself. */
export interface TrafficAnswers {
  limits(tenant: string, mostOthers: number): Promise<LimitsResponse>;
  explain(requestId: string): Promise<ExplainResponse>;
}

export interface TrafficRelayOptions {
  readonly own: TrafficAnswers;
  readonly siblings: Siblings;
  readonly logger: Logger;
  /** Whether the policy names this tenant. */
  readonly named: (tenant: string) => boolean;
}

/** The same questions answered for all workers; and from here on this one answers its siblings. Call it once. */
export function relayTraffic({ own, siblings, logger, named }: TrafficRelayOptions): TrafficAnswers {
  const { Limits, Explain } = trafficService.methods;
  siblings.answer('limits', async (body) => {
    const { tenant, most_others: mostOthers } = Limits.request.decode(body);
    return Limits.response.encode(await own.limits(tenant, mostOthers));
  });
  siblings.answer('explain', async (body) => Explain.response.encode(await own.explain(Explain.request.decode(body).request_id)));

  const askAll = async <T>(kind: QuestionKind, question: Buffer, ownAnswer: Promise<Buffer>, decode: (body: Buffer) => T): Promise<T[]> => {
    const [mine, theirs] = await Promise.all([ownAnswer, siblings.askSiblings(kind, question)]);
    return [decode(mine), ...theirs.flatMap((body) => readable(body, decode, kind, logger))];
  };
  return {
    limits: async (tenant, mostOthers) => {
      const question = Limits.request.encode({ tenant, most_others: mostOthers });
      const ownAnswer = own.limits(tenant, mostOthers).then((answer) => Limits.response.encode(answer));
      const parts = await askAll('limits', question, ownAnswer, (body) => Limits.response.decode(body));
      return mergeLimits(parts, { named, mostOthers }) ?? {};
    },
    explain: async (requestId) => {
      const question = Explain.request.encode({ request_id: requestId });
      const ownAnswer = own.explain(requestId).then((answer) => Explain.response.encode(answer));
      return mergeExplanations(await askAll('explain', question, ownAnswer, (body) => Explain.response.decode(body)));
    },
  };
}

/** A sibling that was started from another version of the program may say what nobody here understands. */
function readable<T>(body: Buffer, decode: (body: Buffer) => T, kind: QuestionKind, logger: Logger): readonly T[] {
  try {
    return [decode(body)];
  } catch (error) {
    logger.error({ question: kind, error }, 'the answer of a sibling cannot be read: it is left out');
    return [];
  }
}
