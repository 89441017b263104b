//! Who listens on a port of this machine.

use std::net::SocketAddr;

/// The process that listens on `address`, e.g. `postgres (process 812)`. Best effort: `None` where the system does
/// not tell, in particular about processes of other users.
#[cfg(target_os = "linux")]
pub(super) fn of(address: SocketAddr) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .find_map(|table| linux::listening_inode(&table, address))?;
    linux::owner(inode)
}

/// The process that listens on `address`: only Linux tells without privileges.
#[cfg(not(target_os = "linux"))]
pub(super) fn of(_: SocketAddr) -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fs,
        net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
        path::Path,
    };

    use underpass_wire::Untrusted;

    /// The state of a listening socket in `/proc/net/tcp` (`TCP_LISTEN`).
    const LISTENING: &str = "0A";

    /// The inode of a socket that keeps others from listening on `wanted`, from a table like `/proc/net/tcp`.
    pub(super) fn listening_inode(table: &str, wanted: SocketAddr) -> Option<u64> {
        table.lines().skip(1).find_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let (local, state, inode) = (columns.get(1)?, columns.get(3)?, columns.get(9)?);
            let local = parse_address(local)?;
            let clashes = local.port() == wanted.port()
                && (local.ip() == wanted.ip() || local.ip().is_unspecified() || wanted.ip().is_unspecified());
            if clashes && *state == LISTENING { inode.parse().ok() } else { None }
        })
    }

    /// Reads `0100007F:1538`: words of 32 bits in the machine's byte order, then the port.
    fn parse_address(text: &str) -> Option<SocketAddr> {
        let (address, port) = text.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let word = |at: usize| {
            let digits = address.get(at * 8..at * 8 + 8)?;
            u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
        };
        let ip = match address.len() {
            8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
            32 => {
                let words = [word(0)?, word(1)?, word(2)?, word(3)?];
                let bytes: [u8; 16] = words.concat().try_into().ok()?;
                IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// The process that has the socket open.
    pub(super) fn owner(inode: u64) -> Option<String> {
        let socket = format!("socket:[{inode}]");
        fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let process = entry.path();
            if !has_open(&process, &socket) {
                return None;
            }
            let name = fs::read(process.join("comm")).ok()?;
            Some(format!("{} (process {id})", Untrusted(name.trim_ascii_end())))
        })
    }

    fn has_open(process: &Path, socket: &str) -> bool {
        // Processes of other users, and those that end meanwhile, cannot be read.
        fs::read_dir(process.join("fd")).is_ok_and(|descriptors| {
            descriptors.flatten().any(|descriptor| {
                fs::read_link(descriptor.path()).is_ok_and(|link| link.as_os_str() == socket)
            })
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 0100007F:1539 0100007F:1538 01 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0 0 10 0
";

        #[test]
        #[cfg(target_endian = "little")]
        fn only_sockets_that_listen_on_a_clashing_address_count() {
            let inode = |address: &str| listening_inode(TABLE, address.parse().unwrap());
            assert_eq!(inode("127.0.0.1:5432"), Some(4711));
            assert_eq!(
                inode("0.0.0.0:5432"),
                Some(4711),
                "one address is in use, so all of them together are"
            );
            assert_eq!(inode("192.0.2.1:80"), Some(4712), "somebody else listens on all addresses");
            assert_eq!(inode("192.0.2.1:5432"), None);
            assert_eq!(inode("127.0.0.1:5433"), None, "that socket is a connection");
        }

        #[test]
        fn a_damaged_table_is_no_answer() {
            let wanted = "127.0.0.1:80".parse().unwrap();
            for line in ["", "0:", "0: x:y z 0A", "0: 0100007F:0050 0:0 0A 0 0 0 0 0 x"] {
                assert_eq!(listening_inode(&format!("head\n{line}\n"), wanted), None, "{line}");
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;

    #[test]
    fn a_port_of_this_process_is_traced_to_it() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let holder = super::of(listener.local_addr().unwrap()).expect("our own descriptors are readable");
            assert!(holder.ends_with(&format!("(process {})", std::process::id())), "{holder}");
        }
    }
}
