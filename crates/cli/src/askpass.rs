//! Who is asked: the terminal, or a program of the desktop's (`SSH_ASKPASS`), as with ssh.

use std::{
    env,
    ffi::OsString,
    io::Read as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use underpass::Secret;
use zeroize::Zeroizing;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 8 * 1024;

/// Where questions go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asker {
    /// To the terminal that controls the process.
    Terminal,
    /// To this program.
    Program(PathBuf),
}

impl Asker {
    /// Chooses by the environment. ssh(1) describes the variables.
    pub(crate) fn chosen(has_terminal: bool) -> Self {
        Self::by(|name| env::var_os(name).filter(|value| !value.is_empty()), has_terminal)
    }

    fn by(variable: impl Fn(&str) -> Option<OsString>, has_terminal: bool) -> Self {
        let Some(program) = variable("SSH_ASKPASS") else { return Self::Terminal };
        let has_desktop = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| variable(name).is_some());
        let required = variable("SSH_ASKPASS_REQUIRE").unwrap_or_default();
        let by_program = match required.to_str() {
            Some("force") => true,
            Some("never") => false,
            Some("prefer") => has_desktop,
            _ => has_desktop && !has_terminal,
        };
        if by_program { Self::Program(program.into()) } else { Self::Terminal }
    }
}

/// Asks by a program: the question is its argument, the answer the first line that it writes. `None`: it cannot be run, or
/// says by its exit code that there is no answer.
pub(crate) fn ask(program: &PathBuf, question: &str) -> Option<Secret> {
    let mut command = Command::new(program);
    command.arg(question).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().ok()?;
    let mut answer = Zeroizing::new(Vec::with_capacity(MAX_ANSWER as usize));
    let read = child.stdout.take().map(|output| output.take(MAX_ANSWER).read_to_end(&mut answer));
    let ended = child.wait().ok()?;
    read?.ok()?;
    let line = answer.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    ended.success().then(|| Secret::new(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_asked_where_there_is_no_terminal_or_where_it_is_wanted() {
        let asker = |words: &str, has_terminal| {
            let variable = |name: &str| {
                let mut pairs = words.split(' ').filter_map(|word| word.split_once('='));
                pairs.find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            Asker::by(variable, has_terminal)
        };
        let program = Asker::Program("ask".into());
        let cases = [
            ("", false, false),
            ("DISPLAY=:0", false, false),
            ("SSH_ASKPASS=ask", false, false),
            ("SSH_ASKPASS=ask DISPLAY=:0", false, true),
            ("SSH_ASKPASS=ask WAYLAND_DISPLAY=w", false, true),
            ("SSH_ASKPASS=ask DISPLAY=:0", true, false),
            ("SSH_ASKPASS=ask DISPLAY=:0 SSH_ASKPASS_REQUIRE=prefer", true, true),
            ("SSH_ASKPASS=ask SSH_ASKPASS_REQUIRE=prefer", true, false),
            ("SSH_ASKPASS=ask SSH_ASKPASS_REQUIRE=force", true, true),
            ("SSH_ASKPASS=ask DISPLAY=:0 SSH_ASKPASS_REQUIRE=never", false, false),
        ];
        for (variables, has_terminal, by_program) in cases {
            let expected = if by_program { &program } else { &Asker::Terminal };
            assert_eq!(&asker(variables, has_terminal), expected, "{variables} {has_terminal}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_first_line_of_a_program_that_succeeds_is_the_answer() {
        let asked = |program: &str| ask(&program.into(), "who?\nme");
        assert_eq!(asked("/bin/echo"), Some("who?".into()));
        assert_eq!(asked("/bin/true"), Some("".into()));
        assert_eq!(asked("/bin/false"), None);
        assert_eq!(asked("/nowhere/askpass"), None);
    }
}
