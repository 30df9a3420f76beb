//! Which keytab the library of Kerberos uses.

use std::ffi::OsStr;
use std::io::Error;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The library looks here, and nothing of its safe interface names a keytab.
const VARIABLE: &str = "KRB5_KTNAME";

/// Whether the library is told to use it.
pub fn is_in_use(keytab: &str) -> bool {
    std::env::var_os(VARIABLE).as_deref() == Some(OsStr::new(keytab))
}

/// Runs the program anew, as the same process, with the library told to use the keytab; returns why that cannot be
/// done. The environment of a program that has threads is not to be changed, for the library may be reading it. What
/// is open is closed by it, so the store has to be closed before.
pub fn begin_anew(keytab: &str) -> Error {
    match std::env::current_exe() {
        Ok(program) => Command::new(program).args(std::env::args_os().skip(1)).env(VARIABLE, keytab).exec(),
        Err(error) => error,
    }
}
