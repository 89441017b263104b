//! Makes a broken connection anew, and gives up after three attempts: `reconnect HOST PORT USER PASSWORD FINGERPRINT`.

use std::env;

use underpass_component::{Error, SshTunnel};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, password, fingerprint] = arguments.try_into().expect("five arguments");
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(host)?;
    tunnel.set_ssh_port(port.parse().expect("a port"))?;
    tunnel.set_ssh_user(user)?;
    tunnel.set_ssh_password(password)?;
    tunnel.set_local_host("127.0.0.1")?;
    tunnel.config(&format!("SSHAcceptServerHostKeyFingerPrint={fingerprint}"))?;
    tunnel.config("AutoReconnect=1")?;
    tunnel.config("RetryInterval=1")?;
    tunnel.on_reconnect_attempt(|_, event| {
        println!("attempt {} at {}:{}", event.retry_count, event.host, event.port);
        event.cancel = event.retry_count > 3;
    });
    tunnel.on_disconnected(|_, event| println!("disconnected: {}", event.description));
    tunnel.on_connected(|_, event| println!("connected: {}", event.description));

    tunnel.start_listening()?;
    println!("listening {}", tunnel.local_port());
    while tunnel.listening() {
        tunnel.do_events();
    }
    println!("given up");
    Ok(())
}
