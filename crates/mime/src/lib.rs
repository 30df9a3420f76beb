/// What is known of a message without its bytes.
#[derive(Clone, Debug)]
pub struct Outline;
