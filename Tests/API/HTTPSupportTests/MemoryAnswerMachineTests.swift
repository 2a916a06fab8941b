import TestSupport
import Testing

@testable import HTTPSupport

/// Every event in every state, without a channel. RFC 9112 §9.3.2.
@Suite(.takingTurns) struct MemoryAnswerMachineTests {
    private typealias Machine = MemoryAnswerMachine<String, String>

    /// `m…` is in memory, its answer the same in capitals.
    private static func find(_ message: String) -> String? { message.hasPrefix("m") ? message.uppercased() : nil }

    private static func text(_ actions: [Machine.Action]) -> String {
        actions.map { action in
            switch action {
            case .pass(let message): message
            case .passed: "passed"
            case .record(let answer): "record \(answer)"
            case .send(let answer): "send \(answer)"
            case .read: "read"
            }
        }.joined(separator: ", ")
    }

    private static func ask(_ machine: inout Machine, _ id: String) -> String {
        text(
            machine.receive(id, .head, find: find) + machine.receive("\(id) end", .end, find: find))
    }

    private enum State: CaseIterable { case idle, known, recording, sending, passing, passingTwo }

    private static func machine(_ state: State) -> Machine {
        var machine = Machine()
        func run(_ actions: [Machine.Action]) { _ = actions }
        switch state {
        case .idle: break
        case .known: run(machine.receive("m1", .head, find: find))
        case .recording, .sending:
            run(machine.receive("m1", .head, find: find))
            run(machine.receive("m1 end", .end, find: find))
            if state == .sending {
                run(machine.recorded(isReady: true, find: find))
                run(machine.sent(isTaken: false, find: find))
            }
        case .passing, .passingTwo:
            run(machine.receive("x1", .head, find: find))
            if state == .passingTwo { run(machine.receive("x2", .head, find: find)) }
        }
        return machine
    }

    @Test("Each event in each state gives these actions, and no other")
    func table() {
        let table: [(State, [String])] = [
            //  a head in memory, one that is not, a body, an end, an event, recorded, not recorded, taken, read
            (.idle, ["", "x", "body", "end", "event", "", "", "", "read"]),
            (.known, ["m1, m", "m1, x", "m1, body", "record M1", "event", "", "", "", "read"]),
            (.recording, ["", "", "", "", "", "send M1", "m1, m1 end, passed", "", "read"]),
            (.sending, ["", "", "", "", "", "", "", "", "read"]),
            (.passing, ["m", "x", "body", "end", "event", "", "", "", "read"]),
            (.passingTwo, ["m", "x", "body", "end", "event", "", "", "", "read"]),
        ]
        #expect(table.map(\.0) == State.allCases)
        for (state, expected) in table {
            let events: [(inout Machine) -> [Machine.Action]] = [
                { $0.receive("m", .head, find: Self.find) }, { $0.receive("x", .head, find: Self.find) },
                { $0.receive("body", .body, find: Self.find) }, { $0.receive("end", .end, find: Self.find) },
                { $0.receive("event", .other, find: Self.find) }, { $0.recorded(isReady: true, find: Self.find) },
                { $0.recorded(isReady: false, find: Self.find) }, { $0.taken(find: Self.find) }, { $0.read() },
            ]
            for (index, event) in events.enumerated() {
                var machine = Self.machine(state)
                #expect(Self.text(event(&machine)) == expected[index], "event \(index) in \(state)")
            }
        }
    }

    @Test("Only an answered request after the last one on the usual way opens the way through memory again")
    func passing() {
        var machine = Self.machine(.passingTwo)
        machine.answered()
        #expect(Self.ask(&machine, "m3") == "m3, m3 end")
        machine.answered()
        #expect(Self.ask(&machine, "m4") == "m4, m4 end")
        machine.answered()
        machine.answered()
        #expect(Self.ask(&machine, "m5") == "record M5")
        // An end of the tasks that answers nothing of theirs changes nothing.
        machine.answered()
        #expect(Self.text(machine.recorded(isReady: true, find: Self.find)) == "send M5")
    }

    @Test("What waits goes on in its order, up to the next answer from memory; a wanted read comes with the last of it")
    func release() {
        var machine = Self.machine(.recording)
        for id in ["m2", "x3", "m4"] { #expect(Self.ask(&machine, id) == "") }
        #expect(Self.text(machine.receive("event", .other, find: Self.find)) == "")
        #expect(Self.text(machine.read()) == "")
        #expect(Self.text(machine.recorded(isReady: true, find: Self.find)) == "send M1")
        #expect(Self.text(machine.sent(isTaken: true, find: Self.find)) == "record M2, passed")
        #expect(Self.text(machine.recorded(isReady: true, find: Self.find)) == "send M2")
        #expect(Self.text(machine.sent(isTaken: false, find: Self.find)) == "")
        #expect(
            Self.text(machine.taken(find: Self.find)) == "x3, x3 end, m4, m4 end, event, passed, read")
    }

    @Test("A closed connection has nothing left to do")
    func closed() {
        for state in State.allCases {
            var machine = Self.machine(state)
            _ = machine.receive("m2", .head, find: Self.find)
            machine.close()
            #expect(Self.text(machine.recorded(isReady: true, find: Self.find)) == "", "\(state)")
            #expect(Self.text(machine.taken(find: Self.find)) == "", "\(state)")
            #expect(Self.text(machine.read()) == "read", "\(state)")
        }
    }

    @Test("RFC 9112 §9.3.2: whatever comes when, each request is answered once and in its order")
    func order() {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for round in 0..<300 {
            var machine = Machine()
            var asked: [String] = []
            var answered: [String] = []
            // Requests that passed and are not answered; whether an answer from memory is recorded, or waits to be taken.
            var tasks: [String] = []
            var isRecording = false
            var isSending = false
            func perform(_ actions: [Machine.Action]) {
                for action in actions {
                    switch action {
                    case .pass(let message): if !message.hasSuffix("end") { tasks.append(message) }
                    case .record:
                        #expect(!isRecording, "seed \(seed), round \(round)")
                        #expect(!isSending, "seed \(seed), round \(round)")
                        #expect(tasks.isEmpty, "seed \(seed), round \(round)")
                        isRecording = true
                    case .send(let answer):
                        #expect(tasks.isEmpty, "seed \(seed), round \(round)")
                        answered.append(answer.lowercased())
                        isSending = true
                    case .passed, .read: break
                    }
                }
            }
            func step() {
                if isRecording, Bool.random(using: &random) {
                    isRecording = false
                    perform(machine.recorded(isReady: random.next() % 4 != 0, find: Self.find))
                    if isSending, Bool.random(using: &random) {
                        isSending = false
                        perform(machine.sent(isTaken: true, find: Self.find))
                    }
                } else if isSending {
                    isSending = false
                    perform(machine.taken(find: Self.find))
                } else if !tasks.isEmpty, Bool.random(using: &random) {
                    answered.append(tasks.removeFirst())
                    machine.answered()
                }
            }
            for number in 0..<12 {
                let id = (Bool.random(using: &random) ? "m" : "x") + "\(number)"
                asked.append(id)
                perform(machine.receive(id, .head, find: Self.find))
                perform(machine.receive("\(id) end", .end, find: Self.find))
                for _ in 0..<random.next() % 3 { step() }
            }
            for _ in 0..<200 { step() }
            #expect(answered == asked, "seed \(seed), round \(round)")
        }
    }
}
