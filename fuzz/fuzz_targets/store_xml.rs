//! Keys and certificates in XML.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::XML);
