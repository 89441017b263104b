//! A program with one component, for tests that need an environment of their own.
//!
//! Each argument sets a member, `NAME=VALUE`: a property in the words of Rust, or a setting. It starts listening, prints
//! `listening PORT` or `error CODE TEXT`, and stays until its input ends. Its progress is printed as `status TEXT`.

use std::io::{self, Read as _};

use underpass_component::{Error, SshTunnel, Variant};

fn main() -> io::Result<()> {
    let tunnel = SshTunnel::new();
    tunnel.on_ssh_status(|_, event| println!("status {}", event.message));
    let set = std::env::args().skip(1).try_for_each(|argument| set(&tunnel, &argument));
    match set.and_then(|()| tunnel.start_listening()) {
        Ok(()) => println!("listening {}", tunnel.local_port()),
        Err(error) => println!("error {} {}", error.code(), error.message()),
    }
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

fn set(tunnel: &SshTunnel, argument: &str) -> Result<(), Error> {
    let (name, value) = argument.split_once('=').expect("NAME=VALUE");
    let Ok(now) = tunnel.get(name) else { return tunnel.config(argument).map(drop) };
    let value = match now {
        Variant::Bool(_) => Variant::Bool(value == "true"),
        Variant::Int(_) => Variant::Int(value.parse().expect("a number")),
        Variant::Text(_) => Variant::Text(value.to_owned()),
        Variant::Bytes(_) => Variant::Bytes(value.as_bytes().to_vec()),
    };
    tunnel.set(name, value)
}
