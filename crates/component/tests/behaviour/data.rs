//! `on_data_in`, and how data are cut for it.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use underpass_component::{Event, EventKind, SshTunnel};
use underpass_testkit::payload::Payload;
use underpass_testkit::target::Target;

use crate::support::{Record, Setup, read, until};

/// The pieces of `on_data_in`.
fn pieces(record: &Record) -> Vec<(Vec<u8>, bool)> {
    let events = record.events();
    let piece = |event: &Event| match event {
        Event::DataIn(event) => (event.text.clone(), event.eol),
        other => panic!("{other:?}"),
    };
    events.iter().map(piece).collect()
}

fn text(pieces: &[(Vec<u8>, bool)]) -> Vec<(&str, bool)> {
    pieces.iter().map(|(bytes, eol)| (std::str::from_utf8(bytes).unwrap(), *eol)).collect()
}

/// Starts, sends the text, and gives so many pieces of it.
fn cut(setup: &Setup, sent: &str, count: usize) -> Record {
    let record = Record::of(&setup.tunnel, &[EventKind::DataIn]);
    setup.tunnel.start_listening().unwrap();
    let mut stream = setup.connect();
    stream.write_all(sent.as_bytes()).unwrap();
    // What is forwarded is not touched.
    assert_eq!(read(&setup.tunnel, &stream, sent.len()), sent.as_bytes());
    until(&setup.tunnel, || record.len() >= count);
    record
}

#[test]
fn lines_are_cut_at_their_ends() {
    let setup = Setup::new();
    setup.tunnel.set_default_eol("\r\n").unwrap();
    let record = cut(&setup, "one\r\ntwo\r\n\r\nrest", 3);
    assert_eq!(text(&pieces(&record)), [("one", true), ("two", true), ("", true)]);
}

#[test]
fn single_line_mode_knows_all_ends() {
    let setup = Setup::new();
    setup.tunnel.set_default_single_line_mode(true).unwrap();
    setup.tunnel.set_default_eol("x").unwrap();
    let record = cut(&setup, "a\rb\nc\r\nd\n", 4);
    assert_eq!(text(&pieces(&record)), [("a", true), ("b", true), ("c", true), ("d", true)]);
}

#[test]
fn single_line_mode_is_of_each_client() {
    let setup = Setup::started();
    let (mut stream, _) = setup.client();
    let record = Record::of(&setup.tunnel, &[EventKind::DataIn]);
    assert!(!setup.tunnel.client_single_line_mode(0).unwrap());
    setup.tunnel.set_client_single_line_mode(0, true).unwrap();
    stream.write_all(b"one\rtwo\n").unwrap();
    until(&setup.tunnel, || record.len() == 2);
    assert_eq!(text(&pieces(&record)), [("one", true), ("two", true)]);
}

/// The target speaks first, the client has said something before it was told of, and both are told in order.
#[test]
fn no_data_come_before_the_client() {
    let setup = Setup::new();
    let record = Record::of(&setup.tunnel, &[EventKind::Connected, EventKind::DataIn]);
    setup.tunnel.start_listening().unwrap();
    // The connection to the server is told of first.
    until(&setup.tunnel, || record.len() == 1);
    record.take();
    for _ in 0..20 {
        let mut stream = setup.connect();
        stream.write_all(b"early").unwrap();
        until(&setup.tunnel, || record.len() == 2);
        let events = record.take();
        assert!(matches!(&events[..], [Event::Connected(_), Event::DataIn(data)] if data.text == b"early"));
    }
}

#[test]
fn a_handler_that_is_gone_holds_nothing_up() {
    const LENGTH: usize = 4 << 20;
    let setup = Setup::started();
    setup.tunnel.on_data_in(|_, _| {});
    let (stream, _) = setup.client();
    let mut writer = stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || writer.write_all(&vec![1; LENGTH]));
    // Nobody delivers: what is told of fills what there is for it.
    std::thread::sleep(std::time::Duration::from_millis(200));
    setup.tunnel.off(EventKind::DataIn);
    let mut bytes = vec![0; LENGTH];
    std::io::Read::read_exact(&mut &stream, &mut bytes).unwrap();
    writing.join().unwrap().unwrap();
}

#[test]
fn a_line_that_is_too_long_comes_in_parts() {
    let setup = Setup::new();
    setup.tunnel.set_default_eol("\n").unwrap();
    setup.tunnel.config("MaxLineLength=256").unwrap();
    let line = "x".repeat(300);
    let record = cut(&setup, &format!("{line}\n"), 2);
    assert_eq!(text(&pieces(&record)), [(&line[..256], false), (&line[256..], true)]);
    assert_eq!(setup.tunnel.config("MaxLineLength=255").unwrap_err().code(), 112);
}

#[test]
fn records_have_the_length_that_is_set_also_by_the_handler() {
    let setup = Setup::new();
    setup.tunnel.config("RecordLength=2").unwrap();
    let pieces: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let seen = pieces.clone();
    setup.tunnel.on_data_in(move |tunnel, event| {
        seen.lock().unwrap().push(event.text.clone());
        // A header tells the length of the body.
        let length = if event.text.len() == 2 { event.text[1] - b'0' } else { 2 };
        tunnel.set_client_record_length(0, length.into()).unwrap();
    });
    setup.tunnel.start_listening().unwrap();
    let mut stream = setup.connect();
    stream.write_all(b"L3abcL4defg").unwrap();
    until(&setup.tunnel, || pieces.lock().unwrap().len() == 4);
    assert_eq!(*pieces.lock().unwrap(), [&b"L3"[..], b"abc", b"L4", b"defg"]);
}

#[test]
fn data_come_once_and_in_order_and_wait_for_the_handler() {
    const LENGTH: usize = 8 << 20;
    let setup = Setup::to(Target::Discard);
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    setup.tunnel.on_data_in(move |_, event| {
        let at = seen.fetch_add(event.text.len(), Ordering::Relaxed);
        assert!(event.text.iter().enumerate().all(|(offset, byte)| *byte == pattern(at + offset)));
    });
    setup.tunnel.start_listening().unwrap();
    let mut stream = setup.connect();
    let writer = std::thread::spawn(move || {
        let bytes: Vec<u8> = (0..LENGTH).map(pattern).collect();
        stream.write_all(&bytes).map(|()| stream)
    });
    until(&setup.tunnel, || count.load(Ordering::Relaxed) == LENGTH);
    writer.join().unwrap().unwrap();
}

fn pattern(at: usize) -> u8 {
    u8::try_from(at % 251).unwrap()
}

#[test]
fn what_is_left_at_the_end_comes_before_the_end() {
    let setup = Setup::new();
    setup.tunnel.set_default_eol("\n").unwrap();
    let record = Record::of(&setup.tunnel, &[EventKind::DataIn, EventKind::Disconnected]);
    setup.tunnel.start_listening().unwrap();
    let mut stream = setup.connect();
    stream.write_all(b"no end").unwrap();
    drop(read(&setup.tunnel, &stream, 6));
    drop(stream);
    until(&setup.tunnel, || record.len() == 2);
    let events = record.take();
    assert!(matches!(&events[0], Event::DataIn(event) if event.text == b"no end" && !event.eol));
    assert!(matches!(&events[1], Event::Disconnected(_)));
}

/// A piece, and what `ChannelDataEOLFound` says of it.
type Told = (Vec<u8>, String);

#[test]
fn the_data_of_a_channel_may_be_asked_for_before_it_is_there() {
    let setup = Setup::to(Target::Source(Payload::new(1), 8));
    // The first client's number.
    setup.tunnel.config("ChannelDataEOL[1]=never found").unwrap();
    setup.tunnel.config("MaxChannelDataLength[1]=4").unwrap();
    let record = Record::of(&setup.tunnel, &[EventKind::DataIn]);
    setup.tunnel.start_listening().unwrap();
    let stream = setup.connect();
    let bytes = read(&setup.tunnel, &stream, 8);
    until(&setup.tunnel, || record.len() == 2);
    assert_eq!(pieces(&record), [(bytes[..4].to_vec(), false), (bytes[4..].to_vec(), false)]);
}

#[test]
fn the_data_of_a_channel_are_told_of_when_both_settings_are_set() {
    let setup = Setup::started();
    let (mut stream, id) = setup.client();
    let found: Arc<Mutex<Vec<Told>>> = Arc::default();
    let seen = found.clone();
    setup.tunnel.on_data_in(move |tunnel: &SshTunnel, event| {
        let eol = tunnel.config(&format!("ChannelDataEOLFound[{id}]")).unwrap();
        if event.text.starts_with(b"#") {
            seen.lock().unwrap().push((event.text.clone(), eol));
        }
    });
    setup.tunnel.config(&format!("ChannelDataEOL[{id}]=;")).unwrap();
    setup.tunnel.config(&format!("MaxChannelDataLength[{id}]=4")).unwrap();
    setup.tunnel.set_client_eol(0, "|").unwrap();
    stream.write_all(b"#a;#bcdef|").unwrap();
    drop(read(&setup.tunnel, &stream, 10));
    until(&setup.tunnel, || found.lock().unwrap().len() >= 3);
    let found = found.lock().unwrap().clone();
    assert!(found.contains(&(b"#a;".to_vec(), "True".to_owned())), "{found:?}");
    assert!(found.contains(&(b"#bcd".to_vec(), "False".to_owned())), "{found:?}");
}
