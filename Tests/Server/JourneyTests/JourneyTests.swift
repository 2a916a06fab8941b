import Testing

/// The real program as a child process, met over real sockets: each suite has a server of its own, one after another.
@Suite(.serialized) struct JourneyTests {}
