//! What the options of ssh and its files, ssh_config(5), mean for a tunnel: words in, a builder out.
//!
//! ```no_run
//! # async fn example() -> Result<(), underpass::Error> {
//! // As `ssh -L 5432:db:5432 bastion` would: ~/.ssh/config says which host that is, who logs in with which key, and
//! // through which hops.
//! let tunnel = underpass_options::builder(["-L", "5432:db:5432", "bastion"])?.open().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The words are those of the `underpass` command, which is made of this. They are [parsed](parse) by the [table of
//! options](options) into plain [arguments](args), to which the [files of ssh_config](config_files) add what they leave
//! open, by the same table; all that is [resolved](resolve) to the library's settings.

mod args;
mod config_files;
mod effective;
mod hops;
mod machine;
mod options;
mod parse;
mod paths;
mod resolve;
mod values;

use std::{ffi::OsString, time::Duration};

use underpass::{Builder, Cryptography, Endpoint, Error, Event, Secret, Settings};

use args::Args;
pub use args::{Command, KeySource, Output, Verbosity};
use machine::Machine;
pub use options::{Flag, Group, Name, Row, all};
pub use parse::SEE_HELP;
use resolve::Environment;

/// A builder with the settings that these options, and the files of ssh_config, come to.
///
/// A password, passphrase or PIN is taken from `UNDERPASS_PASSWORD`, `UNDERPASS_PASSPHRASE` or `UNDERPASS_PIN`, or asked for
/// by the builder's [prompter](Builder::prompter). Options that concern the output of the command are without effect, but that packets are traced where they ask for it; what the
/// files say that is of no use is in [`Invocation::events`].
///
/// ```
/// // No files: everything is said here.
/// let settings = underpass_options::builder(["-F", "none", "-p", "2222", "me@192.0.2.1"])?.settings()?;
/// assert_eq!((settings.host.as_str(), settings.port), ("192.0.2.1", 2222));
/// # Ok::<(), underpass::Error>(())
/// ```
///
/// # Errors
/// A mistake in a word or in a file, with its place and what is right; an option that only the command has.
pub fn builder<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Result<Builder, Error> {
    let invocation = Invocation::read(words)?;
    let elsewhere = |option: &str, method: &str| {
        Error::configuration(format!("{option} is for the command alone"))
            .with_advice(format!("leave it out, and use `{method}` of the tunnel"))
    };
    match &invocation.args {
        args if args.command != Command::Tunnel => {
            Err(Error::configuration("these words do not ask for a tunnel")
                .with_advice("name a destination, and leave out -G, -h, -V, `demo`, `algorithms` and `keys`"))
        }
        args if args.forwards.stdio.is_some() => Err(elsewhere("-W", "connect")),
        args if args.reconnect.wait_ready.is_some() => Err(elsewhere("--wait-ready", "wait_ready")),
        _ => Ok(Builder::from(invocation.settings()?)),
    }
}

/// The words of a command line, with what the files of ssh_config add.
#[derive(Debug)]
pub struct Invocation {
    args: Args,
    machine: Machine,
    events: Vec<Event>,
}

impl Invocation {
    /// Reads words, without a program's own name, and the files.
    ///
    /// # Errors
    /// A mistake in a word or in a file, with its place and what is right.
    pub fn read<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Result<Self, Error> {
        let machine = Machine::new();
        let mut reader = parse::read(words.into_iter().map(Into::into))?;
        let events = config_files::apply(&mut reader, &machine)?;
        Ok(Self { args: reader.finish()?, machine, events })
    }

    /// What is to be done.
    pub fn command(&self) -> Command {
        self.args.command
    }

    /// How much is to be told, and how.
    pub fn output(&self) -> &Output {
        &self.args.output
    }

    /// What in the files was passed over, as warnings and details.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The settings of the tunnel.
    ///
    /// # Errors
    /// They make no sense together, or a file of secrets cannot be read.
    pub fn settings(&self) -> Result<Settings, Error> {
        resolve::resolve(&self.args, &Environment::read(&self.machine))
    }

    /// Whose cryptography is to be used.
    pub fn cryptography(&self) -> Cryptography {
        self.args.protocol.cryptography.unwrap_or_default()
    }

    /// What standard input and output are to be connected to (`-W`).
    pub fn stdio(&self) -> Option<&Endpoint> {
        self.args.forwards.stdio.as_ref()
    }

    /// How long the tunnel may take to be ready (`--wait-ready`).
    pub fn wait_ready(&self) -> Option<Duration> {
        self.args.reconnect.wait_ready
    }

    /// Where to look for keys ([`Command::Keys`]).
    ///
    /// # Errors
    /// The words ask for something else.
    pub fn keys(&self) -> Result<KeySource<'_>, Error> {
        parse::key_source(&self.args.operands)
    }

    /// The passphrase that the environment gives.
    pub fn passphrase(&self) -> Option<Secret> {
        Environment::read(&self.machine).passphrase
    }

    /// The settings as `ssh -G` writes them, one `keyword value` a line.
    ///
    /// # Errors
    /// Something in the host or a path cannot be replaced.
    pub fn effective(&self) -> Result<String, Error> {
        effective::effective(&self.args, &self.machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_has_what_the_words_say() {
        let builder = builder(["-F", "none", "-L", "0:db:5432", "-J", "hop", "me@bastion"]).unwrap();
        let settings = builder.settings().unwrap();
        assert_eq!((settings.host.as_str(), settings.user.as_deref()), ("bastion", Some("me")));
        assert_eq!((settings.forwards.len(), settings.jumps[0].host.as_str()), (1, "hop"));
    }

    #[test]
    fn what_only_the_command_does_is_refused() {
        for words in [
            &["demo"][..],
            &["-F", "none", "-G", "h"],
            &["-F", "none", "-W", "db:1", "h"],
            &["-F", "none", "--wait-ready", "1s", "h"],
        ] {
            let error = builder(words.iter().copied()).err().unwrap_or_else(|| panic!("{words:?}"));
            assert!(error.advice().unwrap().contains("leave"), "{error}");
        }
    }
}
