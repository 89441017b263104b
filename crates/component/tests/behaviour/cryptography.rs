//! Whose cryptography it is. The module for the whole process has a test of its own, `tests/fips.rs`.

use underpass_component::{Event, EventKind};

use crate::support::{Record, Setup, echo};

#[test]
fn the_system_s_library_secures_the_connection() {
    for (internal, expected) in [("True", false), ("False", true)] {
        let setup = Setup::new();
        setup.tunnel.config(&format!("UseInternalSecurityAPI={internal}")).unwrap();
        assert_eq!(setup.tunnel.config("UseInternalSecurityAPI").unwrap(), internal);
        let record = Record::of(&setup.tunnel, &[EventKind::Log]);
        setup.tunnel.start_listening().unwrap();
        echo(&setup.tunnel, &mut setup.connect(), b"carried");
        let is_said = |event: &Event| matches!(event, Event::Log(line) if line.message.contains("secured by OpenSSL 3."));
        assert_eq!(record.events().iter().any(is_said), expected, "{internal}");
    }
}
