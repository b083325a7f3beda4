// Light, dark, or as the system says. What is drawn on a canvas hears of every change.
import { remember, remembered } from '../browser.ts';
import { element, forgetColours, setText } from './page.ts';

const themes = ['system', 'dark', 'light'] as const;
type Theme = (typeof themes)[number];
const symbols: Record<Theme, string> = { system: 'Auto', dark: 'Dark', light: 'Light' };

export class ThemeSwitch {
  readonly #button = element<HTMLButtonElement>('theme');
  #theme: Theme = 'system';

  onChange: () => void = () => {};

  constructor() {
    const kept = remembered('theme');
    this.#theme = themes.find((theme) => theme === kept) ?? 'system';
    this.#button.addEventListener('click', () => this.next());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#changed());
    this.#apply();
  }

  next(): void {
    this.#theme = themes[(themes.indexOf(this.#theme) + 1) % themes.length]!;
    remember('theme', this.#theme);
    this.#apply();
    this.#changed();
  }

  #changed(): void {
    forgetColours();
    this.onChange();
  }

  #apply(): void {
    const root = document.documentElement;
    if (this.#theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = this.#theme;
    setText(this.#button, symbols[this.#theme]);
    this.#button.setAttribute('aria-label', `${symbols[this.#theme]} theme, change it`);
  }
}
