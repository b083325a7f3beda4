// The search for an instrument: a combobox by the pattern of the ARIA practices. What is followed is found at
// once; the server's catalogue is asked as well, and adds to it.
import { rest, type SymbolRow } from '../rest.ts';
import { matches } from '../symbol_match.ts';
import { element, make } from './page.ts';

const mostShown = 40;
const pauseMs = 150;

export class SymbolSearch {
  readonly #input = element<HTMLInputElement>('search');
  readonly #list = element('search-list');
  #found: SymbolRow[] = [];
  #fromServer: SymbolRow[] = [];
  #active = -1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;

  followed: () => SymbolRow[] = () => [];
  onSelect: (row: SymbolRow) => void = () => {};

  constructor() {
    this.#input.addEventListener('input', () => this.#type());
    this.#input.addEventListener('focus', () => this.#type());
    this.#input.addEventListener('blur', () => this.#close());
    this.#input.addEventListener('keydown', (event) => this.#onKey(event));
    // Before the field loses its focus, and with it the list.
    this.#list.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      const option = (event.target as Element).closest<HTMLElement>('[role=option]');
      if (option) this.#choose(Number(option.dataset['index']));
    });
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  #type(): void {
    this.#show();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), pauseMs);
  }

  async #ask(): Promise<void> {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const answer = await rest.symbols(this.#input.value.trim().slice(0, 40), asking.signal);
      if (asking.signal.aborted) return;
      this.#fromServer = answer.data;
      if (document.activeElement === this.#input) this.#show();
    } catch {
      // What is followed can still be found.
    }
  }

  #show(): void {
    const chosen = this.#found[this.#active];
    const rows = [...this.followed(), ...this.#fromServer];
    this.#found = matches(rows, this.#input.value, mostShown);
    const still = this.#found.findIndex(
      (row) => row.symbol === chosen?.symbol && row.exchange === chosen.exchange,
    );
    this.#active = this.#input.value === '' ? still : Math.max(still, 0);
    this.#list.replaceChildren(
      ...this.#found.map((row, index) => {
        const option = make('li');
        option.id = `search-option-${index}`;
        option.setAttribute('role', 'option');
        option.dataset['index'] = String(index);
        option.append(make('b', '', row.symbol), make('span', '', row.name ?? ''));
        const notes = [row.exchange ?? '', ...(row.is_configured ? [] : ['not followed'])];
        option.append(make('span', 'muted', notes.join(' · ')));
        return option;
      }),
    );
    this.#list.hidden = this.#found.length === 0;
    this.#input.setAttribute('aria-expanded', String(!this.#list.hidden));
    this.#mark();
  }

  #mark(): void {
    [...this.#list.children].forEach((option, index) => {
      option.setAttribute('aria-selected', String(index === this.#active));
      if (index === this.#active) option.scrollIntoView({ block: 'nearest' });
    });
    const isAny = this.#active >= 0 && this.#active < this.#found.length;
    if (isAny) this.#input.setAttribute('aria-activedescendant', `search-option-${this.#active}`);
    else this.#input.removeAttribute('aria-activedescendant');
  }

  #close(): void {
    this.#list.hidden = true;
    this.#input.setAttribute('aria-expanded', 'false');
    this.#input.removeAttribute('aria-activedescendant');
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }

  #choose(index: number): void {
    const row = this.#found[index];
    if (!row) return;
    this.#input.value = '';
    this.#active = -1;
    this.#close();
    this.#input.blur();
    this.onSelect(row);
  }

  #onKey(event: KeyboardEvent): void {
    const last = this.#found.length - 1;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (this.#list.hidden) {
        this.#show();
        return;
      }
      const step = event.key === 'ArrowDown' ? 1 : -1;
      const next = this.#active + step;
      this.#active = next > last ? 0 : next < 0 ? last : next;
      this.#mark();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.#choose(Math.max(this.#active, 0));
    } else if (event.key === 'Escape') {
      event.preventDefault();
      if (this.#list.hidden || this.#input.value === '') this.#input.blur();
      this.#input.value = '';
      this.#close();
    }
  }
}
