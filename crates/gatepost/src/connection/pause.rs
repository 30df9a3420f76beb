//! Makes a client wait, and sends one away.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::{Connection, End};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Holds back what comes next; what is to be sent already is sent. A service that stops is not held up.
    pub async fn pause(&mut self, time: Duration) -> Result<(), End> {
        self.flush().await?;
        if !time.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = self.drain.wait() => {}
            }
        }
        Ok(())
    }

    /// Takes leave in the protocol's words, whatever the session is about.
    pub async fn dismiss(&mut self, why: &str, end: End) -> End {
        let farewell = self.terms.protocol.refusal(why);
        self.out.extend_from_slice(&farewell);
        self.finish().await;
        end
    }
}
