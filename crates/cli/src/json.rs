//! Events and errors as JSON: one object each, `event` first.

use serde_json::{Map, Value, json};
use underpass::{Error, Event, FieldValue};

use crate::exit::Exit;

/// An event as an object.
pub(crate) fn event(event: &Event) -> Value {
    let members = event.fields().into_iter().map(|(name, value)| (name.to_owned(), member(value)));
    object(event.name(), Value::Object(members.collect()))
}

fn member(value: FieldValue) -> Value {
    match value {
        FieldValue::Flag(flag) => flag.into(),
        FieldValue::Count(number) => number.into(),
        FieldValue::Seconds(seconds) => seconds.into(),
        FieldValue::Text(text) => text.into(),
        FieldValue::Texts(texts) => texts.into(),
        FieldValue::Error(error) => particulars(&error),
        // And what later versions of the library add.
        _ => Value::Null,
    }
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
