//! Shows the lines that clients send through the tunnel:
//! `data_tap HOST PORT USER PASSWORD FINGERPRINT TARGET TARGETPORT`.

use std::env;

use underpass_component::{Error, SshTunnel};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, password, fingerprint, target, target_port] =
        arguments.try_into().expect("seven arguments");
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(host)?;
    tunnel.set_ssh_port(port.parse().expect("a port"))?;
    tunnel.set_ssh_user(user)?;
    tunnel.set_ssh_password(password)?;
    tunnel.config(&format!("SSHAcceptServerHostKeyFingerPrint={fingerprint}"))?;
    tunnel.set_ssh_forward_host(target)?;
    tunnel.set_ssh_forward_port(target_port.parse().expect("a port"))?;
    tunnel.set_local_host("127.0.0.1")?;
    // One event for each line. What is forwarded stays as it is.
    tunnel.set_default_eol("\r\n")?;
    tunnel.on_data_in(|_, event| {
        let end = if event.eol { "" } else { "…" };
        println!("{}: {}{end}", event.connection_id, String::from_utf8_lossy(&event.text));
    });
    tunnel.start_listening()?;
    println!("listening {}", tunnel.local_port());
    while tunnel.listening() {
        tunnel.do_events();
    }
    Ok(())
}
