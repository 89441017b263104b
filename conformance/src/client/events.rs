//! The events that our client prints with `--json`: one object a line.

use serde_json::Value;

use super::forwards::Door;

/// All events in this text. On a terminal, prompts and line ends of their own stand around them.
pub(super) fn all(text: &str) -> Vec<Value> {
    let objects = text.lines().filter_map(|line| line.find(r#"{"event""#).map(|at| line[at..].trim_end()));
    objects.filter_map(|object| serde_json::from_str(object).ok()).collect()
}

/// Where forwards take connections, once there are this many.
pub(super) fn listening(text: &str, forwards: usize) -> Option<Vec<Door>> {
    let events = all(text);
    let listening = events.iter().filter(|event| event["event"] == "listening");
    let doors: Vec<Door> = listening.map(door).collect();
    (doors.len() >= forwards).then_some(doors)
}

fn door(event: &Value) -> Door {
    Door {
        remote: event["remote"] == true,
        address: event["address"].as_str().and_then(|address| address.parse().ok()),
    }
}

/// The error that ended it.
pub(super) fn error(events: &[Value]) -> Option<&Value> {
    events.iter().rev().find(|event| event["event"] == "error")
}

/// Whether an error event says why the client ended with this exit code, and what to do.
pub(super) fn explained(events: &[Value], code: Option<i32>) -> Result<(), &'static str> {
    let error = error(events).ok_or("no error event")?;
    let has_words = |field: &str| error[field].as_str().is_some_and(|words| !words.trim().is_empty());
    if error["exit_code"].as_i64() != code.map(i64::from) {
        return Err("the error event has another exit code");
    }
    if !has_words("message") {
        return Err("the error event has no message");
    }
    if !has_words("advice") {
        return Err("the error event has no advice");
    }
    Ok(())
}
