import Access
import HL7v2
import Workflow

/// One message in, one domain call, the acknowledgments out that its mode has.
///
/// The raw message is journalled in the same unit of work as its effect, and the answer is given after the commit: what was
/// acknowledged is durable. A message that can not be carried out is journalled alone, with no effect, and answered
/// AE or AR. The same message again (sender, MSH-10 and content) is answered with the stored bytes of the first answer;
/// the same MSH-10 with other content is carried out, with a warning.
package struct HL7Inbox: Sendable {
    private let store: any WorkflowStore
    private let profile: @Sendable (_ sendingApplication: String, _ sendingFacility: String) -> SiteProfile
    private let clock: any Clock
    private let entropy: any Entropy
    private let digest: @Sendable ([UInt8]) -> String

    /// - Parameters:
    ///   - profile: The site profile of a sender, by MSH-3.1 and MSH-4.1.
    ///   - digest: A collision-resistant digest (SHA-256) in hexadecimal, to tell a re-send from a reused MSH-10.
    package init(
        store: any WorkflowStore, clock: any Clock, entropy: any Entropy,
        digest: @escaping @Sendable ([UInt8]) -> String,
        profile: @escaping @Sendable (_ sendingApplication: String, _ sendingFacility: String) -> SiteProfile
    ) {
        self.store = store
        self.clock = clock
        self.entropy = entropy
        self.digest = digest
        self.profile = profile
    }

    /// What became of one message.
    package struct Receipt: Sendable, Hashable {
        package enum Result: Sendable, Hashable {
            case applied, ignored, failed, duplicate
            /// The store did not take it; nothing is kept, the sender has to send it again.
            case notStored
        }
        package var result: Result
        /// What is sent back on the connection, in order, without frames: in original mode the acknowledgment, in enhanced
        /// mode what MSH-15 and MSH-16 ask for. May be empty.
        package var answers: [[UInt8]]
        /// The acknowledgment of the application, whether it is asked for or not.
        package var acknowledgement: [UInt8]
        /// MSH-9 as `ADT^A04`; `?` when it can not be read.
        package var type: String
        package var controlID: String
        /// For the log: words without clinical values.
        package var notes: [String]
    }

    /// Takes one message, without its frame. Always answers; never throws.
    package func receive(_ bytes: [UInt8], peer: String?) async -> Receipt {
        let received = ReceivedMessage(bytes: bytes, peer: peer, digest: digest(bytes), profile: profile)
        do {
            if let told = ReceivedAnswer(received) { return try await take(told, received) }
            return try await carryOut(received)
        } catch let refusal as MessageRefusal {
            return await keepFailed(received, refusal)
        } catch let refusal as TextRule.Refusal {
            return await keepFailed(received, MessageRefusal(refusal))
        } catch let error as StoreError where error.code == .unacceptable {
            return await keepFailed(received, .unacceptableValue)
        } catch {
            return notStored(received, error)
        }
    }

    /// Answers a frame that was too long to be taken, from its first bytes: AR, or what the site says of it.
    package func refuseOversized(head: [UInt8], limit: Int) -> [UInt8] {
        let header = MessageHeader.recovered(from: head)
        let error = HL7Error.messageTooLarge(limit: limit)
        return acknowledge(
            header.isEnhancedMode ? .commitReject : .reject, header, [Acknowledgment.Entry(error)])
    }

    /// Answers a message that there was no memory for, from its first bytes: as a passing failure, so that it is sent
    /// again. Nothing of it is kept.
    package func refuseForNow(head: [UInt8]) -> [UInt8] {
        let header = MessageHeader.recovered(from: head)
        let profile = ReceivedMessage(bytes: head, peer: nil, digest: "", profile: profile).profile
        let entry = Acknowledgment.Entry(
            .applicationInternalError, userMessage: "The server is busy with other messages; send it again")
        let code: Acknowledgment.Code = profile.transientAnswer == .error ? .error : .reject
        return acknowledge(header.isEnhancedMode ? .commitError : code, header, [entry])
    }

    // MARK: Working

    /// Takes an answer to a message of ours, which is not answered but where it asks for that.
    private func take(_ told: ReceivedAnswer, _ received: ReceivedMessage) async throws -> Receipt {
        let access = access(received)
        if let orders = told.orders {
            try await store.write(access) { unit in
                _ = try orders.apply(in: unit)
                try unit.audit(audit(received, .success, access))
            }
        }
        var receipt = receipt(received, .ignored, [], ["an answer to a message of ours: \(told.code)"])
        receipt.answers = told.isAnswered ? [acknowledge(.commitAccept, received.header, [])] : []
        return receipt
    }

    private func carryOut(_ received: ReceivedMessage) async throws -> Receipt {
        let access = access(received)
        let message: Message
        switch received.parsed {
        case .success(let parsed): message = parsed
        case .failure(let error): throw MessageRefusal(received.code(for: error), [Acknowledgment.Entry(error)])
        }
        try HeaderCheck(profile: received.profile).check(received.header, of: message)
        if let refusal = MessageRefusal.unkeepable(in: message) { throw refusal }
        let trace = ReadTrace()
        let traced = message.traced(by: trace)
        let types = DataTypes(profile: received.profile, trace: trace)
        let inbound = try Self.inbound(traced, received.header, types: types)
        // What the journal keeps is put together before the unit: there is one at a time.
        let coverage = MessageCoverage(of: traced).written()
        let keys = keys(of: received)
        let faults = trace.faults
        if let refusal = MessageRefusal(faults) { throw refusal }
        let id = entropy.newID()
        let (answered, merged) = try await store.write(access) { unit -> (Receipt, [Identifier]) in
            // Asked inside of the unit: the same message may have come on two connections at once.
            let previous = try Self.previous(received, in: unit)
            if let earlier = previous.answered {
                return (receipt(received, .duplicate, earlier.acknowledgement, ["answered from the journal"]), [])
            }
            for authority in types.unknownAuthorities.all { try unit.note(authority) }
            var effect = try inbound.apply(in: unit)
            if previous.isReused { effect.notes.append("control id was used before with other content") }
            if message.isCharacterSetAssumed {
                effect.notes.append("text read as \(message.characterSet.rawValue), not as MSH-18 says")
            }
            let warnings =
                faults.map {
                    Acknowledgment.Entry($0.condition, at: $0.location, severity: .warning, userMessage: $0.text)
                }
                + effect.notes.map {
                    Acknowledgment.Entry(.messageAccepted, severity: .warning, userMessage: $0)
                }
            let notes = faults.map { "\($0.location): \($0.text)" } + effect.notes
            let answer = acknowledge(.accept, received.header, warnings)
            var kept = journaled(
                received, id: id, effect.disposition, note: notes, answer, at: unit.time, keys: keys, coverage: coverage
            )
            kept.patientIDs = effect.patientIDs
            try unit.journal(kept)
            try unit.audit(audit(received, .success, access, of: effect.patientIDs))
            let result: Receipt.Result = effect.disposition == .applied ? .applied : .ignored
            return (receipt(received, result, answer, notes), effect.mergedNumbers)
        }
        guard !merged.isEmpty else { return answered }
        var told = answered
        told.notes += await carryOutAwaiting(merged, access: access)
        return told
    }

    /// Carries out what had failed because two records were not yet known to be one person's, each message in a unit of
    /// its own. Returns notes for the log: what the store failed at waits on.
    private func carryOutAwaiting(_ numbers: [Identifier], access: AccessContext) async -> [String] {
        do {
            for id in try await store.read(access, { try $0.messages(awaitingMergeOf: numbers) }) {
                try await carryOut(awaiting: id, access: access)
            }
            return []
        } catch {
            return ["not all messages that waited for the merge were carried out: \(Self.reason(error))"]
        }
    }

    /// Carries out one message that waits. One that still fails by what it says waits on. Throws what the store throws.
    private func carryOut(awaiting id: EntityID, access: AccessContext) async throws {
        guard let message = try await store.read(access, { try $0.awaitingMessage(id) }) else { return }
        let received = ReceivedMessage(
            bytes: message.raw, peer: message.peer, digest: message.digest, profile: profile)
        guard case .success(let parsed) = received.parsed else { return }
        let types = DataTypes(profile: received.profile, trace: ReadTrace())
        do {
            let inbound = try Self.inbound(parsed.traced(by: types.trace), received.header, types: types)
            guard MessageRefusal(types.trace.faults) == nil else { return }
            try await store.write(self.access(received)) { unit in
                // Another merge may have ended its waiting, and its sender may have sent it again.
                guard var settled = try unit.awaitingMessage(id) else { return }
                if let answered = try Self.previous(received, in: unit).answered {
                    settled.disposition = .ignored
                    settled.note = "carried out when it was sent again"
                    settled.acknowledgement = answered.acknowledgement
                    return try unit.settle(settled)
                }
                let effect = try inbound.apply(in: unit)
                let note = "carried out after the patients were merged"
                settled.disposition = effect.disposition
                settled.note = ([note] + effect.notes).joined(separator: "; ")
                settled.acknowledgement = acknowledge(
                    .accept, received.header,
                    [Acknowledgment.Entry(.messageAccepted, severity: .warning, userMessage: note)])
                settled.patientIDs = effect.patientIDs
                try unit.settle(settled)
                try unit.audit(audit(received, .success, unit.access, of: effect.patientIDs))
            }
        } catch is MessageRefusal, is TextRule.Refusal {
            return
        } catch let error as StoreError where error.code == .unacceptable {
            return
        }
    }

    /// The newest answered message with the same content, and whether the control id was used for other content.
    private static func previous(
        _ received: ReceivedMessage, in unit: any UnitOfWork
    ) throws -> (answered: JournaledMessage?, isReused: Bool) {
        let controlID = received.header.controlIDText
        guard !controlID.isEmpty else { return (nil, false) }
        let earlier = try unit.journaledMessage(sender: received.sender, controlID: controlID)
        // A failed message had no effect: sent again it gets another chance, for the cause may be mended.
        let same = earlier.last { $0.digest == received.digest && $0.disposition != .failed }
        return (same, earlier.contains { $0.digest != received.digest })
    }

    /// Whether the same content under the same control id was journalled before.
    private static func isKept(_ received: ReceivedMessage, in unit: any UnitOfWork) throws -> Bool {
        let controlID = received.header.controlIDText
        guard !controlID.isEmpty else { return false }
        return try unit.journaledMessage(sender: received.sender, controlID: controlID).contains {
            $0.digest == received.digest
        }
    }

    private static func inbound(
        _ message: Message, _ header: MessageHeader, types: DataTypes
    ) throws -> any InboundMessage {
        let place = ErrorLocation(segment: "MSH", field: 9, component: 2)
        guard ["ADT", "ORM", "OMG", "OMI", "ORU"].contains(header.messageCode) else {
            throw MessageRefusal(
                .unsupportedMessageType, at: ErrorLocation(segment: "MSH", field: 9, component: 1),
                "This message type is not supported", code: .reject)
        }
        guard header.messageCode != "ADT" || ADTMessage.events.contains(header.triggerEvent),
            let structure = MessageStructure.named(code: header.messageCode, event: header.triggerEvent)
        else {
            throw MessageRefusal(.unsupportedEventCode, at: place, "This event is not supported", code: .reject)
        }
        try refuseContinuation(message)
        let read = structure.read(message)
        for stray in read.strays {
            types.trace.report(
                .segmentSequenceError, at: stray.location(), "The segment is outside of the groups of \(structure.name)"
            )
        }
        types.kept("journal") { for field in [3, 4, 9, 10] { _ = message.segments[0][field].wholeText } }
        switch header.messageCode {
        case "ADT": return try ADTMessage(message, root: read.root, types: types)
        case "ORU": return try ResultMessage(message, root: read.root, types: types)
        default: return try OrderMessage(message, root: read.root, types: types)
        }
    }

    /// A message in parts is refused: half of a report must not stand for the whole. HL7 v2.5.1 §2.10.2.
    private static func refuseContinuation(_ message: Message) throws {
        let part = message.segments.first { ["ADD", "DSC"].contains($0.id) }
        guard part != nil || message.segments[0][14].isValued else { return }
        throw MessageRefusal(
            .applicationInternalError, at: part?.location() ?? ErrorLocation(segment: "MSH", field: 14),
            "A message in parts (MSH-14, ADD, DSC) is not put together here: send it whole", code: .reject)
    }

    // MARK: Failing

    private func keepFailed(_ received: ReceivedMessage, _ refusal: MessageRefusal) async -> Receipt {
        let access = access(received)
        let answer = acknowledge(refusal.code, received.header, refusal.entries)
        let notes = refusal.entries.map { $0.userMessage ?? $0.condition.text }
        let id = entropy.newID()
        let keys = keys(of: received)
        do {
            return try await store.write(access) { unit in
                // Taken before the site's settings changed: what was answered stays answered.
                if let answered = try Self.previous(received, in: unit).answered {
                    return receipt(received, .duplicate, answered.acknowledgement, ["answered from the journal"])
                }
                // A sender that repeats what fails must not fill the journal: the message is kept already.
                if try Self.isKept(received, in: unit) {
                    return receipt(received, .failed, answer, notes, refused: refusal)
                }
                try unit.journal(journaled(received, id: id, .failed, note: notes, answer, at: unit.time, keys: keys))
                if !refusal.awaitedNumbers.isEmpty { try unit.awaitMerge(id, of: refusal.awaitedNumbers) }
                try unit.audit(audit(received, .minorFailure, access))
                return receipt(received, .failed, answer, notes, refused: refusal)
            }
        } catch {
            return notStored(received, error)
        }
    }

    /// The store failed: nothing is kept, so nothing may be accepted.
    private func notStored(_ received: ReceivedMessage, _ error: any Error) -> Receipt {
        let code: Acknowledgment.Code = received.profile.transientAnswer == .error ? .error : .reject
        let entry = Acknowledgment.Entry(
            .applicationInternalError, userMessage: "The message could not be stored; send it again")
        return receipt(
            received, .notStored, acknowledge(code, received.header, [entry]), [Self.reason(error)],
            refused: MessageRefusal(code, [entry]))
    }

    private static func reason(_ error: any Error) -> String {
        (error as? StoreError).map { "store: \($0.code.rawValue)" } ?? "store: \(type(of: error))"
    }

    // MARK: Values

    private func acknowledge(
        _ code: Acknowledgment.Code, _ header: MessageHeader, _ entries: [Acknowledgment.Entry]
    ) -> [UInt8] {
        let now = clock.now().microseconds
        let seconds = now >= 0 ? now / 1_000_000 : (now - 999_999) / 1_000_000
        return Acknowledgment(code, to: header, entries: entries).bytes(
            controlID: String(entropy.newID().value.prefix(20)), now: Timestamp(utcEpochSeconds: Int(seconds)))
    }

    private func access(_ received: ReceivedMessage) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .messageSender, id: received.sender), scopes: [], isUnrestricted: true,
            requestID: received.header.controlIDText, sourceAddress: received.peer)
    }

    private func audit(
        _ received: ReceivedMessage, _ outcome: AuditRecord.Outcome, _ access: AccessContext,
        of patients: [EntityID] = []
    ) -> AuditRecord {
        var record = AuditRecord(
            category: .message, interaction: received.type, action: .execute, outcome: outcome, access: access,
            entity: "message:" + received.header.controlIDText)
        record.name(patients: patients.map(\.value))
        return record
    }

    private func journaled(
        _ received: ReceivedMessage, id: EntityID, _ disposition: JournaledMessage.Disposition, note: [String],
        _ acknowledgement: [UInt8], at time: UTCInstant, keys: MessageKeys, coverage: MessageCoverage? = nil
    ) -> JournaledMessage {
        var journaled = JournaledMessage(
            id: id, sender: received.sender, controlID: received.header.controlIDText, type: received.type,
            digest: received.digest, raw: received.bytes, disposition: disposition,
            note: note.isEmpty ? nil : note.joined(separator: "; "), acknowledgement: acknowledgement, receivedAt: time,
            peer: received.peer, coverage: coverage)
        journaled.keys = keys
        return journaled
    }

    /// None of a message that does not parse.
    private func keys(of received: ReceivedMessage) -> MessageKeys {
        guard case .success(let message) = received.parsed else { return MessageKeys() }
        return MessageKeys(message, accession: received.profile.fields[.accession] ?? [])
    }

    private func receipt(
        _ received: ReceivedMessage, _ result: Receipt.Result, _ acknowledgement: [UInt8], _ notes: [String],
        refused: MessageRefusal? = nil
    ) -> Receipt {
        let plan = AnswerPlan(header: received.header, result: result, refused: refused?.code)
        var answers: [[UInt8]] = []
        if let code = plan.accept { answers.append(acknowledge(code, received.header, refused?.entries ?? [])) }
        if plan.isApplicationAnswered { answers.append(acknowledgement) }
        return Receipt(
            result: result, answers: answers, acknowledgement: acknowledgement, type: received.type,
            controlID: received.header.controlIDText, notes: notes)
    }
}
