// Whether what is on the screen may be called live. Everything that speaks against it comes before what speaks
// for it: a screen that looks live and is not would be worse than none.
import { clockTime, duration } from './decimal_text.ts';

export type Phase = 'connecting' | 'open' | 'waiting';

export interface Signals {
  now: number;
  phase: Phase;
  retryAt: number | undefined;
  // When the connection was made.
  openedAt: number | undefined;
  // When the newest update of the instrument came; a snapshot may be old and does not count.
  updatedAt: number | undefined;
  // The server has not answered plain requests since then.
  unansweredSince: number | undefined;
  // What the server says of the instrument's venue; undefined as long as it has said nothing.
  isFeedConnected: boolean | undefined;
  // The values shown are from before the server's restart.
  isFromBefore: boolean;
  // The chart is from before a restart, and its history has not been read again.
  isChartOld: boolean;
  isFollowed: boolean;
}

export type Kind = 'live' | 'quiet' | 'stale' | 'connecting' | 'offline' | 'stored';

export interface Liveness {
  kind: Kind;
  label: string;
  text: string;
}

const quietAfterMs = 15_000;
const unansweredAfterMs = 4000;

function lastHeard({ now, updatedAt }: Signals): string {
  if (updatedAt === undefined) return 'Nothing was received yet.';
  return `Last update ${clockTime(updatedAt)}, ${duration(now - updatedAt)} ago.`;
}

export function livenessOf(signals: Signals): Liveness {
  const { now, phase, retryAt, updatedAt, unansweredSince } = signals;
  const silence = updatedAt === undefined ? Infinity : now - updatedAt;
  if (phase !== 'open') {
    const next =
      retryAt === undefined ? 'Connecting.' : `Next attempt in ${duration(retryAt - now)}.`;
    return phase === 'connecting' && updatedAt === undefined
      ? { kind: 'connecting', label: 'Connecting', text: 'Connecting to the server.' }
      : {
          kind: 'offline',
          label: 'Disconnected',
          text: `Disconnected: prices on this page stand still. ${lastHeard(signals)} ${next}`,
        };
  }
  if (unansweredSince !== undefined && silence > unansweredAfterMs) {
    return {
      kind: 'offline',
      label: 'No answer',
      text: `The server does not answer: prices on this page stand still. ${lastHeard(signals)}`,
    };
  }
  if (!signals.isFollowed) {
    return {
      kind: 'stored',
      label: 'Stored only',
      text: 'This instrument is not followed: the chart shows what is stored.',
    };
  }
  if (signals.isFeedConnected === false) {
    return {
      kind: 'stale',
      label: 'Feed down',
      text: `The server has lost the exchange: prices on this page stand still. ${lastHeard(signals)}`,
    };
  }
  if (signals.isFromBefore) {
    return {
      kind: 'stale',
      label: 'Stale',
      text: 'These values are from before the server started; newer ones have not come yet.',
    };
  }
  if (signals.isChartOld) {
    return {
      kind: 'stale',
      label: 'Stale',
      text: 'The server was started anew: the chart is from before, its history is being asked for.',
    };
  }
  if (updatedAt === undefined || updatedAt < (signals.openedAt ?? 0)) {
    return { kind: 'connecting', label: 'Waiting', text: 'Waiting for the first update.' };
  }
  if (silence > quietAfterMs) {
    return { kind: 'quiet', label: 'Quiet', text: `No update for ${duration(silence)}.` };
  }
  return { kind: 'live', label: 'Live', text: `Updated ${duration(silence)} ago.` };
}
