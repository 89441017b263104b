//! Java's stores: JKS and JCEKS.
#![no_main]

underpass_fuzz::store!(underpass_fuzz::JAVA);
