//! Targets and relays as processes of their own.

use std::io::{self, BufRead as _, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use underpass_testkit::relay::{CuttingRelay, Relay};
use underpass_testkit::server::LOOPBACK;
use underpass_testkit::target::Target;
use underpass_testkit::{Payload, Server};

const USAGE: &str = "\
usage: testkit target echo|sink|discard|source|burst|reply|black-hole [--bytes N] [--seed N] [--listen ADDR]
       testkit relay|seal-relay --to ADDR [--listen ADDR]
       testkit delay-relay --to ADDR --delay MILLISECONDS [--listen ADDR]
       testkit cutting-relay --to ADDR [--listen ADDR]

Prints the address that it listens on, then serves until its standard input ends.
The cutting relay does what each line there says (cut, black-hole, half-open, refuse, restore, count), and answers with
the number of connections that it has accepted so far.
ADDR is IP:PORT; --listen defaults to 127.0.0.1:0, --bytes to 1048576, --seed to 0.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match start(&arguments) {
        Ok(Started::Server(server)) => ended(serve(&server)),
        Ok(Started::Cutting(relay)) => ended(obey(&relay)),
        Err(problem) => {
            eprintln!("testkit: {problem}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn ended(served: io::Result<()>) -> ExitCode {
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testkit: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until standard input ends, so that a server never outlives the process that started it.
fn serve(server: &Server) -> io::Result<()> {
    say(server.address())?;
    io::copy(&mut io::stdin().lock(), &mut io::sink()).map(drop)
}

/// Serves until standard input ends, and does what it says.
fn obey(relay: &CuttingRelay) -> io::Result<()> {
    say(relay.address())?;
    for line in io::stdin().lock().lines() {
        match line?.as_str() {
            "cut" => relay.cut(),
            "black-hole" => relay.black_hole(),
            "half-open" => relay.half_open(),
            "refuse" => relay.refuse(),
            "restore" => relay.restore(),
            "count" => {}
            other => return Err(io::Error::other(format!("unknown fault {other}"))),
        }
        say(relay.accepted())?;
    }
    Ok(())
}

fn say(what: impl std::fmt::Display) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{what}")?;
    out.flush()
}

enum Started {
    Server(Server),
    Cutting(CuttingRelay),
}

fn start(arguments: &[String]) -> Result<Started, String> {
    let (command, rest) = arguments.split_first().ok_or("no command")?;
    let started = match command.as_str() {
        "target" => {
            let (kind, rest) = rest.split_first().ok_or("no target")?;
            let options = Options::parse(rest)?;
            options.target(kind)?.listen(options.listen).map(Started::Server)
        }
        "relay" | "seal-relay" | "delay-relay" => {
            let options = Options::parse(rest)?;
            options.relay(command)?.listen(options.listen, options.destination()?).map(Started::Server)
        }
        "cutting-relay" => {
            let options = Options::parse(rest)?;
            CuttingRelay::listen(options.listen, options.destination()?).map(Started::Cutting)
        }
        other => return Err(format!("unknown command {other}")),
    };
    started.map_err(|error| error.to_string())
}

struct Options {
    listen: SocketAddr,
    to: Option<SocketAddr>,
    delay: Option<Duration>,
    bytes: u64,
    seed: u64,
}

impl Options {
    fn parse(mut arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { listen: LOOPBACK, to: None, delay: None, bytes: 1024 * 1024, seed: 0 };
        while let [name, rest @ ..] = arguments {
            let [value, rest @ ..] = rest else { return Err(format!("{name} has no value")) };
            match name.as_str() {
                "--listen" => options.listen = parse(name, value)?,
                "--to" => options.to = Some(parse(name, value)?),
                "--delay" => options.delay = Some(Duration::from_millis(parse(name, value)?)),
                "--bytes" => options.bytes = parse(name, value)?,
                "--seed" => options.seed = parse(name, value)?,
                _ => return Err(format!("unknown option {name}")),
            }
            arguments = rest;
        }
        Ok(options)
    }

    fn target(&self, kind: &str) -> Result<Target, String> {
        let payload = Payload::new(self.seed);
        Ok(match kind {
            "echo" => Target::Echo,
            "sink" => Target::Sink,
            "discard" => Target::Discard,
            "source" => Target::Source(payload, self.bytes),
            "burst" => Target::Burst(payload, self.bytes),
            "reply" => Target::Reply(payload, self.bytes),
            "black-hole" => Target::BlackHole,
            other => return Err(format!("unknown target {other}")),
        })
    }

    fn destination(&self) -> Result<SocketAddr, String> {
        self.to.ok_or_else(|| "--to is missing".to_owned())
    }

    fn relay(&self, command: &str) -> Result<Relay, String> {
        Ok(match command {
            "relay" => Relay::Plain,
            "seal-relay" => Relay::Seal,
            _ => Relay::Delay(self.delay.ok_or("--delay is missing")?),
        })
    }
}

fn parse<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name} cannot be {value}"))
}
