//! Members by name: how they are written, what is refused, and those that only tell.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use underpass_component::model::{Access, Scope};
use underpass_component::table::{PROPERTIES, settings};
use underpass_component::{Event, EventKind, SshTunnel};

use crate::support::{Record, Setup, until};

fn refused(tunnel: &SshTunnel, configuration: &str) -> String {
    let error = tunnel.config(configuration).unwrap_err();
    assert_eq!(error.code(), 10022, "{configuration}");
    error.message().to_owned()
}

#[test]
fn settings_are_written_in_any_case_and_their_values_as_they_are() {
    let tunnel = SshTunnel::new();
    for spelling in ["KerberosSPN", "kerberosspn", " KERBEROSSPN "] {
        let value = format!("host/a=b c@{spelling}");
        assert_eq!(tunnel.config(&format!("{spelling}={value}")).unwrap(), "");
        assert_eq!(tunnel.config("kerberosSpn").unwrap(), value);
    }
    for (spelling, expected) in [
        ("TRUE", "True"),
        ("0", "False"),
        ("yes", "True"),
        ("No", "False"),
        ("1", "True"),
        ("false", "False"),
    ] {
        tunnel.config(&format!("AbsoluteTimeout={spelling}")).unwrap();
        assert_eq!(tunnel.config("AbsoluteTimeout").unwrap(), expected);
    }
    tunnel.config("ChannelDataEOL[7]=;").unwrap();
    assert_eq!(tunnel.config("channeldataeol[7]").unwrap(), ";");
    assert_eq!(tunnel.config("ChannelDataEOL[8]").unwrap(), "");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let tunnel = SshTunnel::new();
    for (configuration, words) in [
        ("NoSuchSetting", "no setting of this name"),
        ("NoSuchSetting=1", "no setting of this name"),
        ("", "name is missing"),
        ("=1", "name is missing"),
        ("LogLevel=4", "one of 0, 1, 2, 3"),
        ("LogLevel=high", "no whole number"),
        ("LogLevel[1]=1", "takes no number"),
        ("ChannelDataEOL=;", "in brackets"),
        ("ChannelDataEOL[x]=;", "whole number"),
        ("AbsoluteTimeout=maybe", "neither True nor False"),
        ("SSHFingerprintHashAlgorithm=SHA3", "one of MD5, SHA1, SHA256"),
        ("MaxConnections=100001", "at most 100000"),
        ("PreferredDHGroupBits=512", "from 1024 to 8192"),
        ("BlockedClients=1.2.3.4/99", "BlockedClients"),
    ] {
        assert!(refused(&tunnel, configuration).contains(words), "{configuration}");
    }
    assert_eq!(tunnel.config("LogLevel").unwrap(), "1");
    assert_eq!(tunnel.config("MaxConnections").unwrap(), "1000");
    tunnel.config("MaxConnections=100000").unwrap();
}

/// Their defaults are compared with the interface's description elsewhere.
#[test]
fn every_member_is_read_and_those_to_be_read_only_are_not_set() {
    let tunnel = SshTunnel::new();
    for row in PROPERTIES.iter().filter(|row| row.scope == Scope::Component) {
        let value = tunnel.get(row.name).unwrap();
        let result = tunnel.set(row.name, value);
        assert_eq!(
            result.is_ok(),
            row.access == Access::ReadWrite && row.name != "ssh_forward_port",
            "{}",
            row.name
        );
    }
    for row in settings().filter(|row| row.index.is_none() && row.access == Access::ReadOnly) {
        tunnel.config(row.name).unwrap();
        assert!(refused(&tunnel, &format!("{}=1", row.name)).contains("cannot be set"), "{}", row.name);
    }
    for (result, words) in [
        (tunnel.get("no_such").map(drop), "no property"),
        (tunnel.get("client_eol").map(drop), "of each client"),
        (tunnel.set("ssh_port", "22"), "a whole number"),
        (tunnel.set_client("ssh_port", 0, 22), "not of a client"),
        (tunnel.get_client("no_such", 0).map(drop), "no property"),
    ] {
        let error = result.unwrap_err();
        assert!(error.code() == 10022 && error.message().contains(words), "{error}");
    }
}

#[test]
fn properties_of_clients_that_are_read_only_are_not_set() {
    let setup = Setup::started();
    let (_stream, _) = setup.client();
    for row in PROPERTIES.iter().filter(|row| row.scope == Scope::Client && row.access == Access::ReadOnly) {
        let value = setup.tunnel.get_client(row.name, 0).unwrap();
        assert_eq!(setup.tunnel.set_client(row.name, 0, value).unwrap_err().code(), 10022, "{}", row.name);
    }
}

#[test]
fn settings_without_effect_here_are_kept() {
    let tunnel = SshTunnel::new();
    for setting in ["ProcessIdleEvents=False", "DefaultConnectionTimeout=9", "UseWindowsMessages=True"] {
        tunnel.config(setting).unwrap();
        let (name, value) = setting.split_once('=').unwrap();
        assert_eq!(tunnel.config(name).unwrap(), value);
    }
    tunnel.config("UseIOCP=True").unwrap();
    assert_eq!(tunnel.config("UseWindowsMessages").unwrap(), "False");
}

#[test]
fn the_build_and_its_licence_are_told() {
    let tunnel = SshTunnel::new();
    let build = tunnel.config("BuildInfo").unwrap();
    assert!(build.starts_with("Underpass ") && build.contains(std::env::consts::ARCH), "{build}");
    assert!(tunnel.config("LicenseInfo").unwrap().contains("License Type: "));
}

#[test]
fn a_list_needs_a_name_that_is_known() {
    let tunnel = SshTunnel::new();
    for list in [
        "SSHKeyExchangeAlgorithms",
        "SSHMacAlgorithms",
        "SSHPublicKeyAlgorithms",
        "SSHPubKeyAuthSigAlgorithms",
    ] {
        let was = tunnel.config(list).unwrap();
        for unknown in ["rot13", "", "rot13,,rot14"] {
            let error = tunnel.config(&format!("{list}={unknown}")).unwrap_err();
            assert!(error.code() == 1005 && error.message().contains(list), "{list}={unknown}: {error}");
        }
        assert_eq!(tunnel.config(list).unwrap(), was);
        let known = was.split(',').next().unwrap();
        tunnel.config(&format!("{list}=rot13,{known}")).unwrap();
    }
    assert_eq!(tunnel.set_ssh_encryption_algorithms("rot13").unwrap_err().code(), 1005);
    assert_eq!(tunnel.set_ssh_compression_algorithms("rot13").unwrap_err().code(), 1005);
}

#[test]
fn do_events_waits_as_long_as_is_set() {
    let tunnel = SshTunnel::new();
    tunnel.config("SelectWaitMillis=400").unwrap();
    let start = Instant::now();
    tunnel.do_events();
    assert!(start.elapsed() >= Duration::from_millis(400));
    // What comes ends the wait.
    let setup = Setup::new();
    setup.tunnel.config("SelectWaitMillis=3600000").unwrap();
    setup.tunnel.start_listening().unwrap();
    let record = Record::of(&setup.tunnel, &[EventKind::Connected]);
    let _stream = setup.connect();
    setup.tunnel.do_events();
    assert_eq!(record.len(), 1);
}

#[test]
fn local_members_mirror_each_other() {
    let setup = Setup::new();
    let tunnel = &setup.tunnel;
    tunnel.config("LocalHost=localhost").unwrap();
    assert_eq!(tunnel.local_host(), "localhost");
    tunnel.config("LocalPort=0").unwrap();
    tunnel.start_listening().unwrap();
    assert!(tunnel.local_port() > 0);
    assert_eq!(tunnel.config("LocalPort").unwrap(), tunnel.local_port().to_string());
    setup.client();
    for (result, code, words) in [
        (tunnel.config("LocalPort=1"), 106, "when TCPServer is Listening"),
        (tunnel.config("LocalHost=x"), 107, "when TCPServer is Listening"),
    ] {
        let error = result.unwrap_err();
        assert!(error.code() == code && error.message().contains(words), "{error}");
    }
    tunnel.stop_listening();
    for (result, code) in [(tunnel.config("LocalPort=1"), 106), (tunnel.config("LocalHost=x"), 1119)] {
        let error = result.unwrap_err();
        assert!(error.code() == code && error.message().contains("A connection is in progress"), "{error}");
    }
}

#[test]
fn events_are_handled_by_name_as_well() {
    let setup = Setup::new();
    let seen: Arc<Mutex<Vec<&str>>> = Arc::default();
    let names = seen.clone();
    setup.tunnel.on(EventKind::ConnectionRequest, move |_, event: &mut Event| {
        let fields = event.fields();
        assert_eq!(fields.iter().map(|field| field.0).collect::<Vec<_>>(), ["address", "port", "accept"]);
        names.lock().unwrap().push(event.kind().name());
        event.set_field("accept", false.into()).unwrap();
    });
    setup.tunnel.start_listening().unwrap();
    let _stream = setup.connect();
    until(&setup.tunnel, || !seen.lock().unwrap().is_empty());
    assert_eq!(*seen.lock().unwrap(), ["on_connection_request"]);
}
