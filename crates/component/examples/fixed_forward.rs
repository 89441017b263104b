//! Reaches one target through the server: `fixed_forward HOST PORT USER PASSWORD FINGERPRINT TARGET TARGETPORT`.

use std::env;

use underpass_component::{Error, SshTunnel};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, password, fingerprint, target, target_port] = &arguments[..] else {
        panic!("usage: fixed_forward HOST PORT USER PASSWORD FINGERPRINT TARGET TARGETPORT")
    };
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(host)?;
    tunnel.set_ssh_port(port.parse().expect("a port"))?;
    tunnel.set_ssh_user(user)?;
    tunnel.set_ssh_password(password)?;
    tunnel.config(&format!("SSHAcceptServerHostKeyFingerPrint={fingerprint}"))?;
    tunnel.set_ssh_forward_host(target)?;
    tunnel.set_ssh_forward_port(target_port.parse().expect("a port"))?;
    tunnel.set_local_host("127.0.0.1")?;
    tunnel.on_connected(|_, event| println!("connected {}: {}", event.connection_id, event.description));
    tunnel
        .on_disconnected(|_, event| println!("disconnected {}: {}", event.connection_id, event.description));

    tunnel.start_listening()?;
    println!("listening {}", tunnel.local_port());
    // Data flow by themselves; the events want to be delivered.
    while tunnel.listening() {
        tunnel.do_events();
    }
    Ok(())
}
