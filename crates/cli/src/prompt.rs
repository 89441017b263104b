//! Questions on the terminal.

use std::{
    io, mem,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use underpass::{HostKeyQuestion, Prompt, Prompter, Secret};
use underpass_wire::Untrusted;

use crate::askpass::{self, Asker};

/// Asks on the terminal that controls the process, whatever standard input and output are.
pub(crate) struct TerminalPrompter {
    /// `user@host`, shown before questions of the server's, so that they cannot be taken for others.
    server: String,
    terminal: Terminal,
}

impl TerminalPrompter {
    pub(crate) fn new(server: String, terminal: Terminal) -> Self {
        Self { server, terminal }
    }

    fn hidden(&self, prompt: &str) -> Option<Secret> {
        self.terminal.hidden(prompt)
    }
}

impl Prompter for TerminalPrompter {
    fn password(&self, user: &str, host: &str, attempt: u32) -> Option<Secret> {
        self.hidden(&format!("{}password of {user}@{host}: ", again(attempt)))
    }

    fn passphrase(&self, path: &Path, attempt: u32) -> Option<Secret> {
        self.hidden(&format!("{}passphrase of {}: ", again(attempt), path.display()))
    }

    fn pin(&self, token: &str, attempt: u32, last_try: bool) -> Option<Secret> {
        let last = if last_try { " (the last try; a wrong one locks it)" } else { "" };
        self.hidden(&format!("{}PIN of the token `{}`{last}: ", again(attempt), Untrusted(token.as_bytes())))
    }

    fn responses(&self, name: &str, instruction: &str, prompts: &[Prompt]) -> Option<Vec<Secret>> {
        let server = &self.server;
        for text in [name, instruction].into_iter().flat_map(str::lines).filter(|line| !line.is_empty()) {
            self.terminal.tell(&format!("({server}) {}\n", Untrusted(text.as_bytes())));
        }
        let ask = |prompt: &Prompt| {
            let text = format!("({server}) {}", Untrusted(prompt.text.as_bytes()));
            match prompt.echo {
                true => self.terminal.visible(&text),
                false => self.hidden(&text),
            }
        };
        prompts.iter().map(ask).collect()
    }

    fn new_password(&self, prompt: &str) -> Option<Secret> {
        let server = &self.server;
        self.terminal.tell(&format!("({server}) {}\n", Untrusted(prompt.as_bytes())));
        let new = self.hidden("new password: ")?;
        let repeated = self.hidden("new password once more: ")?;
        if new == repeated {
            return Some(new);
        }
        self.terminal.tell("the two are not the same\n");
        None
    }

    fn accept_host_key(&self, question: &HostKeyQuestion) -> bool {
        let HostKeyQuestion { host, key_type, fingerprint, certificate, .. } = question;
        let key_type = Untrusted(key_type.as_bytes());
        let certificate = certificate.as_ref().map(|names| {
            let (subject, issuer) = (Untrusted(names.subject.as_bytes()), Untrusted(names.issuer.as_bytes()));
            format!("it came with a certificate that nobody checked, for {subject}, by {issuer}\n")
        });
        let certificate = certificate.unwrap_or_default();
        let text = format!(
            "the {key_type} key of {host} is not on record; its fingerprint is {fingerprint}\n{certificate}\
             is it the server's? (yes, no, or the fingerprint): "
        );
        let answer = self.terminal.visible(&text);
        answer.is_some_and(|answer| accepts(&String::from_utf8_lossy(answer.expose()), fingerprint))
    }
}

/// Only the whole word, or the very fingerprint, is a yes.
fn accepts(answer: &str, fingerprint: &str) -> bool {
    let answer = answer.trim();
    answer.eq_ignore_ascii_case("yes") || answer == fingerprint
}

fn again(attempt: u32) -> &'static str {
    if attempt > 1 { "that was not right; " } else { "" }
}

/// The terminal, and how it was before a question: one that a signal ends must not leave it without echo. Where the
/// environment wants it, a program is asked instead.
#[derive(Clone, Default)]
pub(crate) struct Terminal {
    before: Arc<Mutex<Option<system::State>>>,
    /// What has been told since the last question, for a program that is asked.
    told: Arc<Mutex<String>>,
}

impl Terminal {
    /// Gives the terminal its echo back, if a question is still open.
    pub(crate) fn restore(&self) {
        if let Some(state) = self.before().take() {
            state.restore();
        }
    }

    /// Asks for what nobody else is to see.
    fn hidden(&self, prompt: &str) -> Option<Secret> {
        self.ask(prompt, || {
            // Before the prompt is seen: whoever types at once must not see the answer either.
            system::hide_input();
            rpassword::prompt_password(prompt)
        })
    }

    fn visible(&self, prompt: &str) -> Option<Secret> {
        self.ask(prompt, || {
            self.show(prompt)?;
            let mut line = String::new();
            let length = io::BufRead::read_line(&mut io::BufReader::new(system::input()?), &mut line)?;
            if length == 0 {
                Err(io::ErrorKind::UnexpectedEof.into())
            } else {
                Ok(line.trim_end().to_owned())
            }
        })
    }

    /// Asks one question, after which the terminal is as it was. `None`: there is nobody to ask, or no answer.
    fn ask(&self, prompt: &str, question: impl FnOnce() -> io::Result<String>) -> Option<Secret> {
        let told = mem::take(&mut *lock(&self.told));
        if let Asker::Program(program) = Asker::chosen(system::input().is_ok()) {
            return askpass::ask(&program, &format!("{told}{prompt}"));
        }
        *self.before() = system::State::now();
        let answer = question();
        self.restore();
        answer.ok().map(Secret::from)
    }

    /// The passphrase of a file; there is no server that the question could be mistaken for.
    pub(crate) fn passphrase_of(&self, path: &Path) -> Option<Secret> {
        self.hidden(&format!("passphrase of {}: ", path.display()))
    }

    /// Says something before the next question.
    fn tell(&self, text: &str) {
        lock(&self.told).push_str(text);
        // Whoever asks next finds out that there is no terminal.
        let _ = self.show(text);
    }

    fn show(&self, text: &str) -> io::Result<()> {
        io::Write::write_all(&mut system::output()?, text.as_bytes())
    }

    fn before(&self) -> MutexGuard<'_, Option<system::State>> {
        lock(&self.before)
    }
}

/// Each change behind these locks is a single one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
mod system {
    use std::{
        fs::{File, OpenOptions},
        io,
    };

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    const TERMINAL: &str = "/dev/tty";

    /// How the terminal treats what is typed.
    pub(super) struct State(Termios);

    impl State {
        pub(super) fn now() -> Option<Self> {
            tcgetattr(input().ok()?).ok().map(Self)
        }

        pub(super) fn restore(self) {
            if let Ok(terminal) = input() {
                // A terminal that is gone needs no echo.
                let _ = tcsetattr(terminal, OptionalActions::Now, &self.0);
            }
        }
    }

    /// Turns the echo off until a state is restored. Without a terminal the question that follows fails by itself.
    pub(super) fn hide_input() {
        if let Some(State(mut modes)) = State::now() {
            modes.local_modes.remove(LocalModes::ECHO);
            State(modes).restore();
        }
    }

    pub(super) fn input() -> io::Result<File> {
        File::open(TERMINAL)
    }

    pub(super) fn output() -> io::Result<File> {
        OpenOptions::new().write(true).open(TERMINAL)
    }
}

/// Elsewhere the system restores a console by itself.
#[cfg(not(unix))]
mod system {
    use std::io;

    pub(super) struct State;

    impl State {
        pub(super) fn now() -> Option<Self> {
            None
        }

        pub(super) fn restore(self) {}
    }

    pub(super) fn hide_input() {}

    pub(super) fn input() -> io::Result<io::Stdin> {
        Ok(io::stdin())
    }

    pub(super) fn output() -> io::Result<io::Stderr> {
        Ok(io::stderr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_yes_or_the_fingerprint_accepts_a_key() {
        for answer in ["yes", " YES \n", "SHA256:abc"] {
            assert!(accepts(answer, "SHA256:abc"), "{answer}");
        }
        for answer in ["", "y", "no", "yess", "SHA256:abd", "SHA256:ABC"] {
            assert!(!accepts(answer, "SHA256:abc"), "{answer}");
        }
    }
}
