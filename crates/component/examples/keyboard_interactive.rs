//! Answers what the server asks: `keyboard_interactive HOST PORT USER ANSWER... FINGERPRINT`.

use std::env;

use underpass_component::{Error, SshTunnel};

/// `ssh_auth_mode`.
const KEYBOARD_INTERACTIVE: i64 = 4;

fn main() -> Result<(), Error> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let fingerprint = arguments.pop().expect("a fingerprint");
    let mut arguments = arguments.into_iter();
    let mut argument = move || arguments.next();
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(argument().expect("a host"))?;
    tunnel.set_ssh_port(argument().and_then(|port| port.parse().ok()).expect("a port"))?;
    tunnel.set_ssh_user(argument().expect("a user"))?;
    tunnel.set_local_host("127.0.0.1")?;
    tunnel.config(&format!("SSHAcceptServerHostKeyFingerPrint={fingerprint}"))?;
    tunnel.set_ssh_auth_mode(KEYBOARD_INTERACTIVE)?;
    // One event for each question; all answers are sent together.
    tunnel.on_ssh_keyboard_interactive(move |_, event| {
        println!("asked {:?} (shown: {})", event.prompt, event.echo_response);
        event.response = argument().unwrap_or_default();
    });
    tunnel.start_listening()?;
    println!("logged on");
    tunnel.shutdown();
    Ok(())
}
