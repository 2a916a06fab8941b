import DICOMData
import DICOMNetwork
import DIMSEAdapter
import Logging
import NIOCore
import Workflow

extension PeerCheck {
    /// A class that is proposed for a service.
    private struct Proposal {
        var service: Peer.Service
        var sopClassUID: String
        var transferSyntaxes: [String]

        var name: String { UIDRegistry.name(sopClassUID) ?? sopClassUID }
    }

    /// Of identifiers, and of everything small.
    private static let plain = [TransferSyntax.explicitVRLittleEndian.uid, TransferSyntax.implicitVRLittleEndian.uid]

    /// Connection, TLS, an association with a context for each class of what the peer offers, C-ECHO, queries that match
    /// nothing, and of an archive which keys it matches, which is learned; nil where nothing was.
    func applicationEntity(calling: String) async -> (findings: [PeerFinding], keys: Set<SearchKey>?) {
        var (findings, reached) = await reach()
        guard let reached else { return (findings, nil) }
        guard let called = AETitle(peer.name), let calling = AETitle(calling) else {
            return (findings + [.fail("associate", "\(calling) is no AE title", fix: "see --calling-ae")], nil)
        }
        // As the server itself calls it.
        var terms = PeerCalling()
        terms.timers.connect = patience
        terms.timers.associate = patience
        terms.timers.response = patience
        terms.tls = reached.tls
        terms.pinningTLS = { [tls = reached.tls] in tls }
        terms.digest = Digests.hex
        do {
            let identities = try PeerIdentities(configuration, folder)
            terms.identity = { identities.identity(at: $0) }
        } catch { return (findings + [.fail("identity", "\(error)", fix: "correct it, or leave it out")], nil) }
        let destination: SCUAssociation.Destination
        do { destination = try terms.destination(peer, as: calling) } catch {
            return (findings + [.fail("address", "\(error)", fix: "see hilum peer set")], nil)
        }
        let proposals = proposals
        var keys: Set<SearchKey>?
        do {
            var quiet = SCUAssociation.Terms()
            // What there is to say is a finding.
            quiet.logger.logLevel = .critical
            let association = try await SCUAssociation.open(
                destination, contexts: proposals.map { ($0.sopClassUID, $0.transferSyntaxes) }, terms: quiet)
            findings.append(.ok("associate", "\(calling) associates with \(called)"))
            findings += contexts(proposals, association.negotiated, calling)
            findings += await services(association)
            if peer.archive != nil, association.negotiated.context(abstractSyntax: UID.studyRootFind) != nil {
                let lesson = await lesson(of: association)
                findings += lesson.findings
                keys = lesson.keys
            }
            try? await association.release()
        } catch {
            findings.append(Self.refused(error, calling: calling, called: called, byTLS: reached.tls != nil))
        }
        return (findings, keys)
    }

    private func lesson(of association: SCUAssociation) async -> ArchiveLesson {
        let now = SystemClock().now().microseconds
        let trial = ArchiveTrial(peer: peer, today: Int(now / 86_400_000_000)) { identifier, limit in
            let answer = try await association.find(
                sopClassUID: UID.studyRootFind, identifier: identifier, limit: limit)
            return ArchiveTrial.Answer(status: answer.status, matches: answer.matches)
        }
        do { return try await trial.learn() } catch {
            return ArchiveLesson(
                findings: [
                    .fail(
                        "keys", "\(error.what) has no answer: \(Self.words(error.reason)); nothing is learned",
                        fix: "see its log: it may end the association over a key that it does not know")
                ], keys: nil)
        }
    }

    // MARK: Contexts

    private var proposals: [Proposal] {
        let stored = peer.transferSyntaxes.isEmpty ? Self.plain : peer.transferSyntaxes
        let classes: [(Peer.Service, [String], [String])] = [
            (.echo, [UID.verification], [TransferSyntax.implicitVRLittleEndian.uid]),
            (.find, [UID.studyRootFind, UID.patientRootFind], Self.plain),
            (.move, [UID.studyRootMove], Self.plain), (.get, [UID.studyRootGet], Self.plain),
            (
                .store,
                [
                    UID.ctImageStorage, UID.mrImageStorage, UID.secondaryCaptureImageStorage, UID.basicTextSRStorage,
                    UID.encapsulatedPDFStorage,
                ], stored
            ),
            (.commit, [UID.storageCommitmentPush], Self.plain),
            (.mpps, [UID.modalityPerformedProcedureStep], Self.plain),
            (.ian, [UID.instanceAvailabilityNotification], Self.plain),
            (.worklist, [UID.modalityWorklistFind], Self.plain),
            (.ups, [UID.unifiedProcedureStepEvent], Self.plain),
        ]
        return classes.flatMap { service, uids, syntaxes in
            // An association must ask for something, and every AE that accepts one takes C-ECHO. PS3.4 §A.4.
            peer.offers.contains(service) || service == .echo
                ? uids.map { Proposal(service: service, sopClassUID: $0, transferSyntaxes: syntaxes) } : []
        }
    }

    private func contexts(
        _ proposals: [Proposal], _ negotiated: NegotiatedAssociation, _ calling: AETitle
    ) -> [PeerFinding] {
        proposals.map { proposal in
            if let context = negotiated.context(abstractSyntax: proposal.sopClassUID) {
                let syntax = UIDRegistry.name(context.transferSyntax) ?? context.transferSyntax
                return .ok("context", "\(proposal.name): accepted in \(syntax)")
            }
            let isNeeded = !proposals.contains { other in
                other.service == proposal.service && negotiated.context(abstractSyntax: other.sopClassUID) != nil
            }
            let text = "\(proposal.name): not accepted"
            let fix = "let \(calling) use it there, or leave \(proposal.service.rawValue) out of --offers"
            return isNeeded && peer.offers.contains(proposal.service)
                ? .fail("context", text, fix: fix) : .note("context", text, fix: fix)
        }
    }

    // MARK: Services

    private func services(_ association: SCUAssociation) async -> [PeerFinding] {
        var findings: [PeerFinding] = []
        if association.negotiated.context(abstractSyntax: UID.verification) != nil {
            findings.append(
                await Self.finding("echo", "C-ECHO") { (try await association.echo(), nil) })
        }
        if association.negotiated.context(abstractSyntax: UID.studyRootFind) != nil {
            var keys = DataSet()
            keys.set(.queryRetrieveLevel, string: "STUDY")
            keys.set(.studyInstanceUID, string: Self.unusedUID())
            findings.append(
                await Self.finding("find", "C-FIND of a study that is not there") { [keys] in
                    let answer = try await association.find(
                        sopClassUID: UID.studyRootFind, identifier: keys, limit: Self.matchesMax)
                    return (answer.status, answer.matches.count)
                })
        }
        if association.negotiated.context(abstractSyntax: UID.modalityWorklistFind) != nil {
            var step = DataSet()
            step.set(.scheduledStationAETitle, string: "NO_SUCH_STATION")
            step.set(.scheduledProcedureStepStartDate, string: "19000101")
            step.setEmpty(.modality)
            var keys = DataSet()
            keys.set(.scheduledProcedureStepSequence, items: [step])
            keys.setEmpty(.patientName)
            keys.setEmpty(.patientID)
            findings.append(
                await Self.finding("worklist", "C-FIND of the worklist of no station") { [keys] in
                    let answer = try await association.find(identifier: keys, limit: Self.matchesMax)
                    return (answer.status, answer.matches.count)
                })
        }
        return findings
    }

    /// Taken of an answer that should be empty.
    private static let matchesMax = 10

    private static func unusedUID() -> String {
        // Of a UUID: nobody has it. PS3.5 §B.2.
        "2.25." + String(SystemEntropy().bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } | 1 << 63)
    }

    private static func finding(
        _ step: String, _ what: String, _ body: () async throws -> (DIMSEStatus, matches: Int?)
    ) async -> PeerFinding {
        do {
            let (status, matches) = try await body()
            if let matches, matches > 0 {
                return .note(
                    step, "\(what) is answered with \(matches) or more matches: it does not heed the key",
                    fix: "see its settings of queries; its answers are filtered here")
            }
            guard status.kind == .success else {
                return .fail(step, "\(what) is answered with \(status)", fix: "see its log")
            }
            return .ok(step, "\(what) works")
        } catch {
            return .fail(
                step, "\(what) has no answer: \(words(error))", fix: "see its log, and what it lets this server do")
        }
    }

    private static func refused(
        _ error: any Error, calling: AETitle, called: AETitle, byTLS: Bool
    ) -> PeerFinding {
        guard case SCUError.rejected(let reject) = error else {
            return .fail(
                "associate", "no answer to the association request: \(words(error))",
                fix: byTLS
                    ? "see that this is its DICOM port, and whether it takes this server's certificate"
                    : "see that this is its DICOM port, and whether it wants TLS (--tls)")
        }
        let code = "\(reject.result)/\(reject.source)/\(reject.reason)"
        switch (reject.result, reject.source, reject.reason) {
        case (1, 1, 3):
            return .fail(
                "associate", "it does not know \(calling) (\(code))",
                fix: "add \(calling) with this server's address there, or name a title that it knows with --calling-ae")
        case (1, 1, 7):
            return .fail(
                "associate", "it is not called \(called) (\(code))",
                fix: "see its AE title, and --ae; some say so of a caller that they do not know: add \(calling) there")
        case (2, _, _):
            return .fail(
                "associate", "it takes no association now (\(code))", fix: "try again later; it is busy or full")
        default:
            return .fail("associate", "it rejects the association (\(code))", fix: "see its log")
        }
    }
}
