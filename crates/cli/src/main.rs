//! The `underpass` command: TCP through SSH, with the flags of ssh.
//!
//! A command line is [parsed](parse) by the [table of options](options) into plain [arguments](args), to which [files of
//! ssh_config](config_files) add what it leaves open, by the same table. They are
//! [resolved](resolve) to the library's settings; the library does the work, and what it tells goes [out](output).

mod algorithms;
mod args;
mod config_files;
mod demo;
mod effective;
mod exit;
mod help;
mod hops;
mod json;
mod machine;
mod options;
mod output;
mod parse;
mod paths;
mod prompt;
#[cfg(test)]
mod reference;
mod resolve;
mod signals;
mod status;
mod stdio;
mod tunnel;
mod values;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use args::{Args, Command, Output, Verbosity};
use exit::Exit;
use machine::Machine;
use output::Reporter;
use prompt::Terminal;
use resolve::Environment;
use tunnel::Plan;
use underpass::{Error, Step};

fn main() -> ExitCode {
    let words: Vec<_> = env::args_os().skip(1).collect();
    // A mistake in the command line, too, is told in the form that was asked for.
    let json = words.iter().any(|word| word == "--json");
    let machine = Machine::new();
    let parsed = parse::read(words).and_then(|mut reader| {
        let events = config_files::apply(&mut reader, &machine)?;
        Ok((reader.finish()?, events))
    });
    let output = parsed.as_ref().map_or(Output { json, ..Output::default() }, |(args, _)| output(args));
    let (reporter, writer) = output::start(&output);
    let terminal = Terminal::default();
    let done = parsed.and_then(|(args, events)| {
        events.iter().for_each(|event| reporter.event(event));
        run(&args, &machine, &reporter, &terminal)
    });
    let exit = done.unwrap_or_else(|error| {
        let error = if error.advice().is_some() { error } else { error.with_advice(parse::SEE_HELP) };
        reporter.error(&error);
        Exit::of(&error)
    });
    writer.finish();
    terminal.restore();
    ExitCode::from(exit.code)
}

/// What is told, and how.
fn output(args: &Args) -> Output {
    let mut output = args.output.clone();
    // There standard output carries the payload.
    output.on_stderr = args.forwards.stdio.is_some();
    // A demonstration is there to be watched.
    if args.command == Command::Demo && output.verbosity == Verbosity::default() {
        output.verbosity = output.verbosity.more();
    }
    output
}

fn run(args: &Args, machine: &Machine, reporter: &Reporter, terminal: &Terminal) -> Result<Exit, Error> {
    match args.command {
        Command::Help => print(&help::help()),
        Command::Version => print(help::VERSION),
        Command::Algorithms => print(&algorithms::list(args.output.json)),
        Command::Demo => block_on(demo::run(reporter.clone())),
        Command::Settings => print(&effective::effective(args, machine)?),
        Command::Tunnel => {
            let plan = plan(args, machine)?;
            block_on(tunnel::run(plan, reporter.clone(), terminal.clone()))
        }
    }
}

/// What to do with a tunnel, which must be something.
fn plan(args: &Args, machine: &Machine) -> Result<Plan, Error> {
    let settings = resolve::resolve(args, &Environment::read(machine))?;
    if settings.forwards.is_empty() && args.forwards.stdio.is_none() {
        return Err(Error::configuration("there is nothing to forward")
            .with_advice("say what to forward, e.g. `-L 5432:db:5432`"));
    }
    Ok(Plan { settings, stdio: args.forwards.stdio.clone(), wait_ready: args.reconnect.wait_ready })
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
