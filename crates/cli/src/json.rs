//! Events and errors as JSON: one object each, `event` first.

use serde_json::{Map, Value, json};
use underpass::{Error, Event};

use crate::exit::Exit;

/// An event as an object.
pub(crate) fn event(event: &Event) -> Value {
    let members = match event {
        Event::Connecting { host, port } => json!({ "host": host, "port": port }),
        Event::Connected { address } => json!({ "address": text(address) }),
        Event::Identified { software, line } => json!({ "software": software, "line": line }),
        Event::HostKey { host, key_type, fingerprint, certificate, verdict } => json!({
            "host": host, "key_type": key_type, "fingerprint": fingerprint, "verdict": verdict.name(),
            "subject": certificate.as_ref().map(|names| &names.subject),
            "issuer": certificate.as_ref().map(|names| &names.issuer),
        }),
        Event::KerberosServer { server } => json!({ "server": server }),
        Event::KeyExchange {
            kex,
            host_key,
            cipher_out,
            cipher_in,
            mac_out,
            mac_in,
            compression_out,
            compression_in,
            strict,
            rekey,
        } => json!({
            "kex": kex, "host_key": host_key, "cipher_out": cipher_out, "cipher_in": cipher_in,
            "mac_out": mac_out, "mac_in": mac_in, "compression_out": compression_out,
            "compression_in": compression_in, "strict": strict, "rekey": rekey,
        }),
        Event::Banner { text } | Event::Warning { text } => json!({ "text": text }),
        Event::AuthAttempt { method, detail } => json!({ "method": method, "detail": detail }),
        Event::AuthRefused { method, remaining, partial } => json!({
            "method": method, "remaining": remaining, "partial": partial,
        }),
        Event::Authenticated { method, user } => json!({ "method": method, "user": user }),
        Event::Listening { forward, address } => json!({
            "address": text(address), "port": address.port(), "remote": address.is_remote(),
            "target": forward.target().map(text), "forward": text(forward),
        }),
        Event::Reconnecting { error, attempt, after } => json!({
            "attempt": attempt, "after": after.as_secs_f64(), "error": particulars(error),
        }),
        Event::Reconnected { outage, attempts } => json!({
            "outage": outage.as_secs_f64(), "attempts": attempts,
        }),
        Event::ConnectionOpened { id, peer, target } => json!({
            "id": id, "peer": text(peer), "target": text(target),
        }),
        Event::ConnectionClosed { id, sent, received, error } => json!({
            "id": id, "sent": sent, "received": received, "error": error,
        }),
        Event::ConnectionFailed { id, peer, target, error } => json!({
            "id": id, "peer": text(peer), "target": text(target), "error": particulars(error),
        }),
        Event::Detail { level, text } => json!({ "level": level, "text": text }),
        Event::Stopping { open } => json!({ "open": open }),
        Event::Closed { error } => json!({ "error": error.as_ref().map(particulars) }),
        // Events that later versions of the library add.
        other => json!({ "text": text(other) }),
    };
    object(event.name(), members)
}

/// The error that ends the command.
pub(crate) fn error(error: &Error) -> Value {
    object("error", particulars(error))
}

/// Events that nobody read fast enough.
pub(crate) fn dropped(count: u64) -> Value {
    object("dropped", json!({ "count": count }))
}

/// An object for anything else that the command tells.
pub(crate) fn object(event: &str, members: Value) -> Value {
    let mut object = Map::new();
    object.insert("event".to_owned(), event.into());
    if let Value::Object(members) = members {
        object.extend(members);
    }
    Value::Object(object)
}

fn particulars(error: &Error) -> Value {
    json!({
        "kind": error.kind().name(),
        "step": error.step().name(),
        "host": error.host(),
        "message": text(error),
        "advice": error.advice(),
        "exit_code": Exit::of(error).code,
    })
}

fn text(value: &impl ToString) -> String {
    value.to_string()
}

#[cfg(test)]
mod tests {
    use underpass::Bound;

    use super::*;

    #[test]
    fn a_listener_tells_its_real_port() {
        let forward = underpass::Forward::local(0, ("db", 5432));
        let listening = Event::Listening { forward, address: Bound::Tcp(([127, 0, 0, 1], 40001).into()) };
        let object = event(&listening);
        assert_eq!((&object["address"], &object["port"]), (&json!("127.0.0.1:40001"), &json!(40001)));
        assert_eq!((&object["forward"], &object["target"]), (&json!("-L 0:db:5432"), &json!("db:5432")));
    }

    #[test]
    fn an_error_tells_what_to_do_and_how_the_command_exits() {
        let object = error(&Error::configuration("x").with_advice("do y"));
        assert_eq!((&object["kind"], &object["advice"]), (&json!("configuration"), &json!("do y")));
        assert_eq!(object["exit_code"], json!(2));
    }
}
