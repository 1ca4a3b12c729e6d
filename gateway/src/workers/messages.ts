import type { MetricsSnapshot } from '@headrace/runtime';
import type { LeaseAnswer, LeaseAsk } from '../domain/lease-store.js';

/** What is told of a run to those who share its slot. */
export interface ToldRun {
  readonly targetId: string;
  readonly backend: string;
  readonly model: string;
  readonly predictedMs: number;
}

/** What all workers learn from one of them. */
export type Shared =
  | { readonly kind: 'start'; readonly id: number; readonly run: ToldRun }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'cost'; readonly shapeClass: string; readonly podClass: string; readonly rows: number; readonly runMs: number }
  | { readonly kind: 'bypass'; readonly model: string; readonly version: string; readonly spentMs: number };

/** From a worker. `resync`: it holds no turn, and what it told of runs is void; those that go on follow. */
export type Claim =
  | { readonly kind: 'resync' }
  | { readonly kind: 'want'; readonly target: string; readonly ageMs: number }
  | { readonly kind: 'back'; readonly target: string }
  | Shared;

/** To a worker. `gone`: none of that sibling's runs goes on, as far as anybody knows. */
export type Notice =
  | { readonly kind: 'grant'; readonly target: string }
  | { readonly kind: 'recall'; readonly target: string }
  | { readonly kind: 'gone'; readonly from: number }
  | { readonly kind: 'told'; readonly from: number; readonly what: Shared };

/** `id`: of this worker, never used again. */
export interface NumberedAsk {
  readonly id: number;
  readonly ask: LeaseAsk;
}

/** `answers` null: overtaken, or there is a problem. Messages are JSON, which has no undefined. */
export interface LeaseReply {
  readonly id: number;
  readonly answers: readonly LeaseAnswer[] | null;
  readonly problem?: string;
}

/** What a worker may ask of its siblings. */
export type QuestionKind = 'limits' | 'explain';

/** Of a question and of each answer to it, before it is written as base64. */
export const maxBodyBytes = 1024 * 1024;

/**
 * The epoch counts how often the primary gave a worker up for silent. What a worker says in an older one was said before it
 * knew, and is void.
 */
export type FromWorker =
  | { readonly kind: 'turns'; readonly epoch: number; readonly claims: readonly Claim[] }
  | { readonly kind: 'beat' }
  | { readonly kind: 'state'; readonly ready: boolean; readonly models: readonly string[] }
  | { readonly kind: 'problem'; readonly text: string }
  | { readonly kind: 'metrics'; readonly scrape: number; readonly snapshot: MetricsSnapshot }
  | { readonly kind: 'leases'; readonly asks: readonly NumberedAsk[] }
  | { readonly kind: 'ask'; readonly id: number; readonly question: QuestionKind; readonly body: string }
  | { readonly kind: 'reply'; readonly id: number; readonly body: string | null };

export type ToWorker =
  | { readonly kind: 'turns'; readonly epoch: number; readonly notices: readonly Notice[] }
  | { readonly kind: 'beat'; readonly epoch: number }
  | { readonly kind: 'scrape'; readonly scrape: number }
  | { readonly kind: 'leases'; readonly replies: readonly LeaseReply[] }
  | { readonly kind: 'question'; readonly id: number; readonly question: QuestionKind; readonly body: string }
  | { readonly kind: 'replies'; readonly id: number; readonly bodies: readonly string[]; readonly missing: number }
  | { readonly kind: 'drain' };

/** Both sides say something at least this often; who said nothing for silentMs is taken for stuck. */
export const beatMs = 250;
export const silentMs = 1_000;
