//! The `SshTunnel` component: so far its interface, as data.
//!
//! The object that behaves as these tables say is not there yet. [`table`] holds a row for each property, method,
//! event, setting and error code; accessors, the reference and the Python package are made from the rows, so that a
//! default or a code stands in one place. `tests/facts` compares them with `conformance/spec-facts.toml`, which was
//! written from the description of the interface by somebody who had not seen them.
//!
//! ```
//! use underpass_component::{error_text, property, setting};
//!
//! let port = property("ssh_port").unwrap();
//! assert_eq!(port.value.to_string(), "22");
//!
//! let found = setting("connectionuid[5]").unwrap();
//! assert_eq!((found.rows[0].name, found.index), ("ConnectionUID", Some(5)));
//!
//! assert_eq!(error_text(126), Some("Invalid ConnectionId."));
//! ```

#[cfg_attr(not(test), expect(dead_code, reason = "for the object, which is not there yet"))]
mod build_info;
#[cfg_attr(not(test), expect(dead_code, reason = "for the object, which is not there yet"))]
mod code_page;
#[cfg_attr(not(test), expect(dead_code, reason = "for the object, which is not there yet"))]
mod framing;
mod lookup;
mod model;
#[cfg_attr(not(test), expect(dead_code, reason = "for the object, which is not there yet"))]
mod packet;
#[cfg_attr(not(test), expect(dead_code, reason = "for the object, which is not there yet"))]
mod pattern;
pub mod table;

pub use lookup::{Address, AddressError, Found, SettingError, error_text, event, method, property, setting};
pub use model::{
    Access, Choice, Code, CodePage, Deviation, Direction, Effect, Encoding, ErrorGroup, ErrorRow, Event,
    Field, Group, Holds, Index, Initial, Literal, Method, Number, PacketField, Param, Platform, Platforms,
    Property, Refusal, Refused, Scope, Setting, StoreType, SubjectField, Type, Unit, Value, WireType,
    WordChoice, Words,
};
