//! The `underpass` command: TCP through SSH, with the flags of ssh.
//!
//! What a command line and the files of ssh_config mean is the business of [`underpass_options`]; the library does the
//! work, and what it tells goes [out](output).

mod algorithms;
mod askpass;
mod demo;
mod exit;
mod help;
mod json;
mod keys;
mod output;
mod prompt;
#[cfg(test)]
mod reference;
mod signals;
mod status;
mod stdio;
mod tunnel;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use exit::Exit;
use output::Reporter;
use prompt::Terminal;
use tunnel::Plan;
use underpass::{Error, Step};
use underpass_options::{Command, Invocation, KeySource, Output, SEE_HELP, Verbosity};

fn main() -> ExitCode {
    let words: Vec<_> = env::args_os().skip(1).collect();
    // A mistake in the command line, too, is told in the form that was asked for.
    let json = words.iter().any(|word| word == "--json");
    let invocation = Invocation::read(words);
    let output = invocation.as_ref().map_or(Output { json, ..Output::default() }, output);
    let (reporter, writer) = output::start(&output);
    let terminal = Terminal::default();
    let done = invocation.and_then(|invocation| {
        invocation.events().iter().for_each(|event| reporter.event(event));
        run(&invocation, &reporter, &terminal)
    });
    let exit = done.unwrap_or_else(|error| {
        let error = if error.advice().is_some() { error } else { error.with_advice(SEE_HELP) };
        reporter.error(&error);
        Exit::of(&error)
    });
    writer.finish();
    terminal.restore();
    ExitCode::from(exit.code)
}

/// What is told, and how.
fn output(invocation: &Invocation) -> Output {
    let mut output = invocation.output().clone();
    // There standard output carries the payload.
    output.on_stderr = invocation.stdio().is_some();
    // A demonstration is there to be watched.
    if invocation.command() == Command::Demo && output.verbosity == Verbosity::default() {
        output.verbosity = output.verbosity.more();
    }
    output
}

fn run(invocation: &Invocation, reporter: &Reporter, terminal: &Terminal) -> Result<Exit, Error> {
    match invocation.command() {
        Command::Help => print(&help::help()),
        Command::Version => print(help::VERSION),
        Command::Algorithms => print(&algorithms::list(invocation.cryptography(), invocation.output().json)?),
        Command::Keys => {
            let (passphrase, json) = (invocation.passphrase(), invocation.output().json);
            print(&match invocation.keys()? {
                KeySource::File(path) => {
                    keys::inspect(path, passphrase, || terminal.passphrase_of(path), json)?
                }
                KeySource::Store(store) => keys::list(store, passphrase.as_ref(), json)?,
            })
        }
        Command::Demo => block_on(demo::run(reporter.clone())),
        Command::Settings => print(&invocation.effective()?),
        Command::Tunnel => {
            let plan = plan(invocation)?;
            block_on(tunnel::run(plan, reporter.clone(), terminal.clone()))
        }
    }
}

/// What to do with a tunnel, which must be something.
fn plan(invocation: &Invocation) -> Result<Plan, Error> {
    let (settings, stdio) = (invocation.settings()?, invocation.stdio().cloned());
    if settings.forwards.is_empty() && stdio.is_none() {
        return Err(Error::configuration("there is nothing to forward")
            .with_advice("say what to forward, e.g. `-L 5432:db:5432`"));
    }
    Ok(Plan { settings, stdio, wait_ready: invocation.wait_ready() })
}

/// Runs on this thread alone: with one tunnel, more threads cost more in wake-ups than they gain.
fn block_on(work: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Error::internal(Step::Configure, "the runtime does not start").with_source(error))?;
    let done = runtime.block_on(work);
    // A question on the terminal may be open on another thread, and nobody may ever answer it.
    runtime.shutdown_background();
    done
}

/// Writes an answer to standard output.
fn print(text: &str) -> Result<Exit, Error> {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Ok(Exit::DONE),
        // `underpass --help | head` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::DONE),
        Err(error) => Err(Error::internal(Step::Configure, format!("standard output: {error}"))),
    }
}
