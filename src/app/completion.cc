// One model of the command line, three ways of writing it down. Whatever goes into a script is
// quoted for its shell: descriptions hold apostrophes, brackets and colons.
#include "app/completion.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "exchange/registry.h"
#include "market/timeframe.h"

namespace candlewick::app {
namespace {

using Words = std::vector<std::string>;

struct Option {
  Words names;  // "--format"; empty: positional
  std::string help;
  Words values;  // when they are known
  bool is_file = false;
  bool takes_value = false;

  friend bool operator==(const Option&, const Option&) = default;
};

struct Command {
  std::string name;
  std::string help;
  std::vector<Option> options;      // its own
  std::vector<Option> settings;     // those that all commands with settings have
  std::vector<Option> positionals;  // in order; the last may repeat

  std::vector<Option> all_options() const {
    auto all = options;
    all.insert(all.end(), settings.begin(), settings.end());
    return all;
  }
};

// "TEXT:{csv,jsonl}" → csv, jsonl
Words values_in(const std::string& type) {
  const auto begin = type.find('{');
  const auto end = type.rfind('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
  Words values;
  std::string_view list(type);
  list = list.substr(begin + 1, end - begin - 1);
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    values.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return values;
}

Option read(const CLI::Option& given) {
  Option option{.help = given.get_description(), .takes_value = given.get_items_expected_max() > 0};
  if (!given.get_positional()) {
    for (const auto& name : given.get_snames()) option.names.push_back("-" + name);
    for (const auto& name : given.get_lnames()) option.names.push_back("--" + name);
  }
  if (option.takes_value) {
    const std::string type = given.get_type_name();
    option.values = values_in(type);
    option.is_file = type.starts_with("FILE");
  }
  return option;
}

std::vector<Command> read(const CLI::App& program) {
  std::vector<Command> commands;
  for (const auto* given : program.get_subcommands([](const CLI::App*) { return true; })) {
    Command command{.name = given->get_name(), .help = given->get_description()};
    for (const auto* one : given->get_options()) {
      auto option = read(*one);
      auto& list = option.names.empty()             ? command.positionals
                   : one->get_group() == "Settings" ? command.settings
                                                    : command.options;
      list.push_back(std::move(option));
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

std::string names_of(std::span<const Option> options) {
  Words names;
  for (const auto& option : options)
    names.insert(names.end(), option.names.begin(), option.names.end());
  return fmt::format("{}", fmt::join(names, " "));
}

// The list that commands with settings share.
std::vector<Option> shared_settings(const std::vector<Command>& commands) {
  for (const auto& command : commands) {
    if (!command.settings.empty()) return command.settings;
  }
  return {};
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += R"('\'')";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// What follows an option: "values='a b'", "files=yes", or nothing that is known.
std::string bash_values(const Option& option) {
  if (option.is_file) return "files=yes";
  return "values=" + in_quotes(fmt::format("{}", fmt::join(option.values, " ")));
}

// Bash takes a word apart at "=" and ":", so "--format=csv" comes as three words.
constexpr std::string_view bash_head =
    R"(# bash completion of candlewick; made by: candlewick completion bash
_candlewick() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command='' option='' values='' files='' takes_value='' options='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -*) ;;
      *) command=${COMP_WORDS[i]}; break ;;
    esac
  done
  if [[ $current == '=' ]]; then
    option=$previous current=''
  elif [[ $previous == '=' ]]; then
    option=${COMP_WORDS[COMP_CWORD-2]}
  else
    option=$previous
  fi
)";

constexpr std::string_view bash_tail = R"(  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -f -- "$current")
  elif [[ -n $takes_value ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  fi
}
complete -F _candlewick candlewick
)";

// Of most settings no more is known than that they take a value: one line for all of them.
constexpr std::string_view bash_setting =
    "if [[ \" $settings \" == *\" $option \"* ]]; then takes_value=yes values='' files=''; fi\n";

bool is_plain_setting(const Option& option, std::span<const Option> settings) {
  return option.values.empty() && !option.is_file &&
         std::ranges::find(settings, option) != settings.end();
}

std::string bash_script(const std::vector<Command>& commands, const CLI::App& program) {
  const auto settings = shared_settings(commands);
  Words names;
  for (const auto& command : commands) names.push_back(command.name);
  std::vector<Option> of_program;
  for (const auto* option : program.get_options()) of_program.push_back(read(*option));

  std::string out(bash_head);
  out += fmt::format("  local settings={}\n", in_quotes(names_of(settings)));
  out += "  case $command in\n";
  out += fmt::format("    '') options={} ;;\n",
                     in_quotes(fmt::format("{} {}", fmt::join(names, " "), names_of(of_program))));
  for (const auto& command : commands) {
    out += fmt::format("    {})\n      options={}", command.name,
                       in_quotes(names_of(command.options)));
    if (!command.settings.empty()) out += "\" $settings\"";
    out += '\n';
    for (const auto& positional : command.positionals) {
      // A word that begins with a dash is an option all the same.
      out += "      if [[ $current != -* ]]; then\n        ";
      out += bash_values(positional);
      out += " takes_value=yes\n      fi\n";
    }
    if (!command.settings.empty()) out += "      " + std::string(bash_setting);
    std::string cases;
    for (const auto& option : command.all_options()) {
      if (!option.takes_value || is_plain_setting(option, settings)) continue;
      cases += fmt::format("        {}) files=''; {} takes_value=yes ;;\n",
                           fmt::join(option.names, "|"), bash_values(option));
    }
    if (!cases.empty()) out += "      case $option in\n" + cases + "      esac\n";
    out += "      ;;\n";
  }
  out += "  esac\n";
  return out + std::string(bash_tail);
}

// Within the brackets and behind the colons of a specification of _arguments.
std::string for_zsh(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const Option& option) {
  if (option.is_file) return "_files";
  if (option.values.empty()) return " ";
  std::string words;
  for (const auto& value : option.values) words += (words.empty() ? "" : " ") + for_zsh(value);
  return "(" + words + ")";
}

std::string zsh_option(const Option& option) {
  std::string names = option.names.front();
  if (option.names.size() > 1) names = fmt::format("{{{}}}", fmt::join(option.names, ","));
  std::string rest;
  if (option.takes_value) rest = ":value:" + zsh_action(option);
  // A list in braces is the shell's to expand, so it stands outside of the quotes.
  const std::string help = fmt::format("[{}]{}", for_zsh(option.help), rest);
  if (option.names.size() > 1) return names + in_quotes(help);
  return in_quotes(names + (option.takes_value ? "=" : "") + help);
}

std::string zsh_script(const std::vector<Command>& commands) {
  std::string out =
      "#compdef candlewick\n"
      "# zsh completion of candlewick; made by: candlewick completion zsh\n"
      "_candlewick() {\n"
      "  local curcontext=$curcontext state line\n"
      "  local -a commands settings\n"
      "  commands=(\n";
  for (const auto& command : commands)
    out += fmt::format("    {}\n", in_quotes(command.name + ":" + for_zsh(command.help)));
  out += "  )\n  settings=(\n";
  for (const auto& option : shared_settings(commands))
    out += fmt::format("    {}\n", zsh_option(option));
  out +=
      "  )\n"
      "  _arguments -C '(- *)'{-h,--help}'[help]' '(- *)--version[version]' "
      "'1:command:->command' '*::argument:->argument'\n"
      "  case $state in\n"
      "    command) _describe command commands ;;\n"
      "    argument)\n"
      "      case $line[1] in\n";
  for (const auto& command : commands) {
    out += fmt::format("        {})\n          _arguments", command.name);
    for (const auto& option : command.options)
      out += fmt::format(" \\\n            {}", zsh_option(option));
    for (const auto& positional : command.positionals) {
      out += fmt::format(" \\\n            {}",
                         in_quotes(fmt::format("{}:{}:{}", positional.is_file ? "*" : "1",
                                               for_zsh(positional.help), zsh_action(positional))));
    }
    if (!command.settings.empty()) out += " \\\n            $settings";
    out += "\n          ;;\n";
  }
  return out +
         "      esac\n"
         "      ;;\n"
         "  esac\n"
         "}\n"
         // Read as a function of $fpath it is called by its name, else it has to be made known.
         "if [[ $funcstack[1] == _candlewick ]]; then\n"
         "  _candlewick \"$@\"\n"
         "else\n"
         "  compdef _candlewick candlewick\n"
         "fi\n";
}

std::string for_fish(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_argument(const Option& option) {
  if (option.is_file) return " -r -F";
  if (!option.takes_value) return "";
  if (option.values.empty()) return " -x";
  return " -x -a " + for_fish(fmt::format("{}", fmt::join(option.values, " ")));
}

void append_fish(std::string& out, std::string_view commands, const Option& option) {
  out += fmt::format("complete -c candlewick -n '__fish_seen_subcommand_from {}'", commands);
  for (const auto& name : option.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (option.names.empty()) {
    out += option.is_file ? " -F" : fish_argument(option);
  } else {
    out += fish_argument(option);
  }
  out += " -d " + for_fish(option.help) + "\n";
}

std::string fish_script(const std::vector<Command>& commands) {
  std::string out =
      "# fish completion of candlewick; made by: candlewick completion fish\n"
      "complete -c candlewick -f\n"
      "complete -c candlewick -n __fish_use_subcommand -s h -l help -d help\n"
      "complete -c candlewick -n __fish_use_subcommand -l version -d version\n";
  Words with_settings;
  for (const auto& command : commands) {
    out += fmt::format("complete -c candlewick -n __fish_use_subcommand -a {} -d {}\n",
                       command.name, for_fish(command.help));
    if (!command.settings.empty()) with_settings.push_back(command.name);
  }
  for (const auto& command : commands) {
    for (const auto& option : command.options) append_fish(out, command.name, option);
    for (const auto& option : command.positionals) append_fish(out, command.name, option);
  }
  const auto all = fmt::format("{}", fmt::join(with_settings, " "));
  for (const auto& option : shared_settings(commands)) append_fish(out, all, option);
  return out;
}

// Any value is taken here: the command's own message is better than "not in {…}".
CLI::Validator offered(const Words& values) {
  return {[](std::string&) { return std::string(); },
          fmt::format("{{{}}}", fmt::join(values, ","))};
}

bool is_judged(CLI::Option& option) {
  return !values_in(option.get_type_name()).empty();
}

}  // namespace

void offer_values(CLI::App& program) {
  Words venues;
  for (const auto* venue : exchange::all_venues()) venues.emplace_back(exchange::key_of(*venue));
  Words timeframes;
  for (const auto timeframe : all_timeframes) timeframes.emplace_back(to_text(timeframe));
  const std::array<std::pair<std::string_view, Words>, 4> known{
      {{"--exchange", std::move(venues)},
       {"--timeframe", std::move(timeframes)},
       {"--format", {"table", "csv", "jsonl"}},
       {"--market", {"spot", "swap"}}}};
  constexpr std::array<std::string_view, 8> files{
      "--config", "--input", "--output", "--from", "--row", "files", "--checksum", "--key-file"};
  for (auto* command : program.get_subcommands([](CLI::App*) { return true; })) {
    for (auto* option : command->get_options()) {
      const std::string name =
          option->get_lnames().empty() ? option->get_name() : "--" + option->get_lnames().front();
      for (const auto& [of, values] : known) {
        if (name == of && !is_judged(*option)) option->check(offered(values));
      }
      if (std::ranges::find(files, name) != files.end()) option->type_name("FILE");
    }
  }
}

Result<std::string> completion_script(const CLI::App& program, std::string_view shell) {
  const auto commands = read(program);
  if (shell == "bash") return bash_script(commands, program);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  return fail(ErrorKind::misconfigured, "there is a completion for bash, zsh and fish, not for {}",
              shell);
}

}  // namespace candlewick::app
