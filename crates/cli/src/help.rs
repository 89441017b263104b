//! `--help` and `--version`: the rows of the table, laid out.

use std::fmt::{self, Write as _};

use underpass_options::{Group, Row, all};

use crate::exit::Exit;

/// What `--version` says.
pub(crate) const VERSION: &str = concat!("underpass ", env!("CARGO_PKG_VERSION"), "\n");

/// What `--help` says.
pub(crate) fn help() -> String {
    let mut out = String::new();
    let done = write_help(&mut out);
    done.expect("writing to a string does not fail");
    out
}

fn write_help(out: &mut String) -> fmt::Result {
    writeln!(out, "{SUMMARY}\n\nUsage:")?;
    for (usage, meaning) in USAGE {
        writeln!(out, "  {usage}")?;
        write_wrapped(out, meaning)?;
    }
    for group in Group::ALL {
        writeln!(out, "\n{}:", group.title())?;
        for row in rows(group) {
            writeln!(out, "  {}", row.spellings().join(", "))?;
            let default = if row.default.is_empty() { "." } else { &format!(" [default: {}].", row.default) };
            write_wrapped(out, &format!("{}{default}", row.doc))?;
        }
    }
    writeln!(out, "\nEnvironment:")?;
    for (variable, meaning) in ENVIRONMENT {
        writeln!(out, "  {variable}")?;
        write_wrapped(out, meaning)?;
    }
    writeln!(out, "\nExit codes:")?;
    for Exit { code, meaning } in Exit::ALL {
        writeln!(out, "  {code:>3}  {meaning}")?;
    }
    Ok(())
}

pub(crate) fn rows(group: Group) -> impl Iterator<Item = &'static Row> {
    all().filter(move |row| row.group == group)
}

/// A paragraph, indented below what it explains.
fn write_wrapped(out: &mut String, text: &str) -> fmt::Result {
    let mut column = WIDTH;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column + 1 + width > WIDTH {
            let line_end = if column == WIDTH && out.ends_with('\n') { "" } else { "\n" };
            write!(out, "{line_end}{INDENT}{word}")?;
            column = INDENT.len() + width;
        } else {
            write!(out, " {word}")?;
            column += 1 + width;
        }
    }
    writeln!(out)
}

/// Columns of the help: a terminal has at least 80.
const WIDTH: usize = 78;
const INDENT: &str = "          ";

pub(crate) const SUMMARY: &str = "Carries TCP through an SSH server, with the flags of ssh.";

pub(crate) const USAGE: [(&str, &str); 5] = [
    (
        "underpass [OPTION]… -L|-D|-R|-W … [USER@]HOST[:PORT]",
        "Opens a tunnel and keeps it up until it is told to stop. The destination may also be \
         ssh://[USER@]HOST[:PORT]; this form is for hosts called `demo`, `algorithms` or `keys`.",
    ),
    (
        "underpass demo",
        "Shows that everything works: carries checked data through a server of its own on this machine.",
    ),
    (
        "underpass algorithms",
        "Lists the algorithms that are supported, in the default order, and which of them are weak.",
    ),
    (
        "underpass keys inspect FILE",
        "Tells what is in a file of keys or certificates of any format, without showing secrets.",
    ),
    (
        "underpass keys list [user|machine]",
        "Lists the user's keys, ~/.ssh/id_*, or those of the machine, /etc/ssh/ssh_host_*_key.",
    ),
];

pub(crate) const ENVIRONMENT: [(&str, &str); 4] = [
    (
        "UNDERPASS_PASSWORD",
        "The password to log in with. It is never taken from the command line, where others see it.",
    ),
    ("UNDERPASS_PASSPHRASE", "The passphrase of private keys."),
    (
        "UNDERPASS_PIN",
        "The PIN of PKCS#11 tokens. It is given to a token once, and never as the last try that it allows.",
    ),
    (
        "SSH_ASKPASS",
        "A program that asks the person where there is no terminal and DISPLAY or WAYLAND_DISPLAY is set; \
         SSH_ASKPASS_REQUIRE, which is force, prefer or never, overrides that.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_tells_every_row_and_code_within_the_width_of_a_terminal() {
        let help = help();
        for row in all() {
            assert!(row.spellings().iter().all(|spelling| help.contains(spelling)), "{:?}", row.spellings());
        }
        for exit in Exit::ALL {
            assert!(help.contains(exit.meaning), "{}", exit.code);
        }
        let explanations = help.lines().filter(|line| line.starts_with(INDENT));
        for line in explanations {
            assert!(line.chars().count() <= WIDTH, "{line}");
            assert!(!line.ends_with(' '), "{line}");
        }
    }
}
