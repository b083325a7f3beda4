// How the service itself is: feeds, sinks, and what it complains about. States are words; colour only underlines.
import { absent, count, duration } from '../decimal_text.ts';
import type { Feed, Health, Sink } from '../rest.ts';
import { element, fitRows, make, rowOfCells, setCells, setText } from './page.ts';

const sinkGrades: Record<Sink['state'], string> = {
  live: 'good',
  opening: 'warn',
  catching_up: 'warn',
  backing_off: 'bad',
  stopped: 'bad',
};

const healthGrades: Record<Health['status'], string> = {
  ok: 'good',
  degraded: 'warn',
  down: 'bad',
};

function feedState(feed: Feed): [text: string, grade: string] {
  if (!feed.connected) return ['not connected', 'bad'];
  if (feed.live_sessions < feed.sessions) {
    return [`${feed.live_sessions} of ${feed.sessions} connections`, 'warn'];
  }
  return ['connected', 'good'];
}

export class ServicesView {
  readonly #health = element('health');
  readonly #problems = element('problems');
  readonly #feeds = element('feeds');
  readonly #sinks = element('sinks');
  readonly #version = element('version');

  show(health: Health): void {
    setText(this.#health, `Status: ${health.status}`);
    this.#health.className = `note ${healthGrades[health.status]}`;
    setText(this.#version, `Candlewick ${health.version}`);
    const told = [
      ...health.problems,
      ...health.warnings,
      ...health.feeds.flatMap((feed) =>
        feed.connected || !feed.last_error ? [] : [`${feed.venue}: ${feed.last_error}`],
      ),
      ...health.sinks.flatMap((sink) =>
        sink.state === 'live' || !sink.last_error
          ? []
          : [`${sink.sink}: ${sink.last_error.message}`],
      ),
    ];
    const items = fitRows(this.#problems, told.length, () => make('li'));
    told.forEach((text, index) => setText(items[index]!, text));

    const feeds = fitRows(this.#feeds, health.feeds.length, () => rowOfCells(6));
    health.feeds.forEach((feed, index) => {
      const [state, grade] = feedState(feed);
      const age = feed.last_event_age_ms;
      setCells(feeds[index]!, [
        feed.venue,
        state,
        age === null ? absent : `${duration(age)} ago`,
        count(feed.reconnects),
        count(feed.refused_frames),
        `${count(feed.weight_used)} / ${count(feed.weight_allowed)}`,
      ]);
      feeds[index]!.children[1]!.className = grade;
    });

    const sinks = fitRows(this.#sinks, health.sinks.length, () => rowOfCells(6));
    health.sinks.forEach((sink, index) => {
      setCells(sinks[index]!, [
        sink.sink,
        sink.state.replaceAll('_', ' '),
        duration(sink.lag_seconds * 1000),
        count(sink.lag_rows),
        sink.rows_per_second.toFixed(1),
        count(sink.dead_letters_now ?? sink.dead_letters),
      ]);
      sinks[index]!.children[1]!.className = sinkGrades[sink.state];
      sinks[index]!.children[2]!.className = sink.lag_seconds > 60 ? 'bad' : '';
    });
  }

  // What is known is no longer known.
  lose(silentFor: number): void {
    setText(this.#health, `Status: unknown, no answer for ${duration(silentFor)}`);
    this.#health.className = 'note bad';
  }
}
