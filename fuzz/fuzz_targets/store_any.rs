//! Files of any format, which their content tells.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::ANY);
