/// What to do with the requests of one connection while some of them are answered from memory: events in, actions out,
/// without a channel.
///
/// A request whose answer is not in memory, and all that comes while such a request is being answered, passes to the
/// connection's tasks; what arrives while an answer from memory is on its way waits for it. So answers leave in the order
/// of their requests (RFC 9112 §9.3.2).
///
/// - Parameters:
///   - Answer: what memory holds for a request.
///   - Message: what arrives on the connection, to be passed on unchanged.
struct MemoryAnswerMachine<Answer, Message> {
    /// What a message is of a request; `other` is an event or an error of the channel.
    enum Kind: CaseIterable { case head, body, end, other }

    enum Action {
        /// The connection's tasks are to see the message.
        case pass(Message)
        /// All that has arrived so far was passed.
        case passed
        /// The audit row is to be made durable and the body ready: ``recorded(isReady:find:)`` tells of both.
        case record(Answer)
        /// The answer is to be written: ``sent(isTaken:find:)`` tells of that.
        case send(Answer)
        /// More may be read of the socket.
        case read
    }

    private enum State {
        /// No request is open.
        case idle
        /// The head of a request was read whose answer is known, and not yet its end.
        case known(head: Message, Answer)
        /// The audit row of the answer is being written, and its body made ready.
        case recording(head: Message, end: Message, Answer)
        /// The answer is being written, or waits for the peer to take it.
        case sending
        /// So many requests passed to the connection's tasks and are not answered in full. At least one.
        case passing(Int)
    }

    private var state = State.idle
    /// What arrived while an answer from memory was on its way, in order.
    private var held: [(message: Message, kind: Kind)] = []
    /// A read of the socket was asked for when something was held already.
    private var isReadWanted = false

    private var isAnswering: Bool {
        switch state {
        case .recording, .sending: true
        case .idle, .known, .passing: false
        }
    }

    /// Something has arrived. `find` gives the answer to the request of a head, where memory has one.
    mutating func receive(_ message: Message, _ kind: Kind, find: (Message) -> Answer?) -> [Action] {
        switch (state, kind) {
        case (.recording, _), (.sending, _):
            held.append((message, kind))
            return []
        case (.idle, .head):
            guard let answer = find(message) else {
                state = .passing(1)
                return [.pass(message)]
            }
            state = .known(head: message, answer)
            return []
        case (.known(let head, let answer), .end):
            state = .recording(head: head, end: message, answer)
            return [.record(answer)]
        case (.known(let head, _), .body), (.known(let head, _), .head):
            // A body after all: not for here.
            state = .passing(1)
            return [.pass(head), .pass(message)]
        case (.passing(let count), .head):
            state = .passing(count + 1)
            return [.pass(message)]
        case (.idle, _), (.known, .other), (.passing, _): return [.pass(message)]
        }
    }

    /// The audit row is durable and the body ready, or one of the two will never be: the request then takes the usual way,
    /// which tries again and knows how to refuse.
    mutating func recorded(isReady: Bool, find: (Message) -> Answer?) -> [Action] {
        guard case .recording(let head, let end, let answer) = state else { return [] }
        if isReady {
            state = .sending
            return [.send(answer)]
        }
        state = .passing(1)
        return [.pass(head), .pass(end), .passed] + release(find)
    }

    /// The answer was written; `isTaken` when the peer is not behind with taking what is written. Otherwise
    /// ``taken(find:)`` follows.
    mutating func sent(isTaken: Bool, find: (Message) -> Answer?) -> [Action] { isTaken ? taken(find: find) : [] }

    /// The peer has taken the answer.
    mutating func taken(find: (Message) -> Answer?) -> [Action] {
        guard case .sending = state else { return [] }
        state = .idle
        return release(find)
    }

    /// The connection's tasks have written an answer to its end.
    mutating func answered() {
        if case .passing(let count) = state { state = count > 1 ? .passing(count - 1) : .idle }
    }

    /// More of the socket is asked for.
    mutating func read() -> [Action] {
        if held.isEmpty { return [.read] }
        isReadWanted = true
        return []
    }

    /// The connection is gone: nothing follows.
    mutating func close() {
        state = .idle
        held = []
        isReadWanted = false
    }

    /// Goes on with what waited for an answer, up to the next one that is in memory.
    private mutating func release(_ find: (Message) -> Answer?) -> [Action] {
        var actions: [Action] = []
        if !held.isEmpty {
            var waiting = held[...]
            held = []
            while !isAnswering, let next = waiting.popFirst() {
                actions += receive(next.message, next.kind, find: find)
            }
            held = Array(waiting)
            actions.append(.passed)
        }
        if isReadWanted, held.isEmpty {
            isReadWanted = false
            actions.append(.read)
        }
        return actions
    }
}
