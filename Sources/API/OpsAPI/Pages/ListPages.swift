import Access
import HTTPSupport
import Hummingbird
import Workflow

/// Lists that are looked at and not acted on: fetches, steps on no worklist, conflicts, commitments, exports, imports,
/// peers, authorities.
enum ListPages {
    @Sendable static func fetches(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let copies = try await call.desk.fetches(try OpsRoutes.fetchStates(call.query), page.limit, call.access)
        try await call.record("fetches")
        let rows = page.items(copies).map { copy -> [HTML] in
            [
                .text(copy.studyInstanceUID), .text(copy.archive), .text(copy.state.rawValue), "\(copy.attempts)",
                call.time(copy.requestedAt), copy.state == .waiting ? call.time(copy.nextAt) : .none,
                call.time(copy.endedAt), copy.expected > 0 ? "\(copy.expected)" : .none, "\(copy.instances)",
                .text(ByteCount.text(copy.bytes)), .text(copy.failure ?? ""),
            ]
        }
        return list(
            .fetchesTitle,
            call.table(
                [
                    .studyUIDLabel, .archiveLabel, .stateLabel, .attemptsLabel, .askedLabel, .nextAttemptLabel,
                    .endedLabel, .expectedLabel, .instancesLabel, .bytesLabel, .whyLabel,
                ], rows, orElse: call.query["state"] == nil ? .nothingFetched : .noneFound),
            page.next(copies, call), json: "/ops/fetches",
            filter: [call.choice("state", .stateLabel, ArchiveCopy.State.allCases.map(\.rawValue))], call)
    }

    @Sendable static func steps(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let steps = try await call.desk.waiting(page.limit, call.access)
        try await call.record("waiting-steps")
        let rows = page.items(steps).map { item -> [HTML] in
            [
                .text(item.step.stepID), .text(item.missing.map(\.rawValue).joined(separator: ", ")),
                .text(item.order.accession?.value ?? ""), .text(item.order.code.displayText ?? ""),
                .text(item.order.modality(of: item.step) ?? ""), .text(item.step.stationAETitle ?? ""),
                .text(item.step.scheduledStart?.text ?? ""),
            ]
        }
        return list(
            .stepsTitle,
            call.table(
                [
                    .stepLabel, .missingLabel, .accessionLabel, .procedureLabel, .modalityLabel, .stationLabel,
                    .startLabel,
                ], rows, orElse: .nothingWaits),
            page.next(steps, call), json: "/ops/worklist/waiting", call)
    }

    @Sendable static func conflicts(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let conflicts = try await call.desk.conflicts(page.limit, call.access)
        try await call.record("conflicts")
        let rows = page.items(conflicts).map { item -> [HTML] in
            [
                .text(item.sopInstanceUID), .text(item.studyInstanceUID), .text(item.peer),
                .text(item.outcome.rawValue), .text(item.difference ?? ""), "\(item.count)", call.time(item.time),
            ]
        }
        return list(
            .conflictsTitle,
            call.table(
                [
                    .instanceUIDLabel, .studyUIDLabel, .peerLabel, .outcomeLabel, .differenceLabel, .countLabel,
                    .receivedLabel,
                ], rows, orElse: .nothingInConflict),
            page.next(conflicts, call), json: "/ops/conflicts", call)
    }

    @Sendable static func commitments(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let transactions = try await call.desk.commitments(page.limit, call.access)
        try await call.record("commitments")
        let rows = page.items(transactions).map { item -> [HTML] in
            [
                .text(item.destination), .text(item.peer), .text(item.studyInstanceUID), .text(item.state.rawValue),
                "\(item.count)", "\(item.failed)", "\(item.asks)", call.time(item.createdAt), call.time(item.dueAt),
                call.time(item.reportedAt), .text(item.uid),
            ]
        }
        return list(
            .commitmentsTitle,
            call.table(
                [
                    .destinationLabel, .peerLabel, .studyUIDLabel, .stateLabel, .instancesLabel, .notKeptLabel,
                    .attemptsLabel, .startedLabel, .reportDueLabel, .reportedLabel, .transactionLabel,
                ], rows, orElse: .nothingCommitted),
            page.next(transactions, call), json: "/ops/commitments", call)
    }

    /// The id of an export is what its client asks for it by, and is not shown.
    @Sendable static func exports(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let jobs = try await call.desk.exports(page.limit)
        try await call.record("exports")
        let rows = page.items(jobs).map { job -> [HTML] in
            [
                .text(job.ownerID), .text(job.types.joined(separator: ", ")), .text(job.state.rawValue),
                "\(job.progress) %", call.time(job.createdAt), call.time(job.finishedAt), "\(job.outputs.count)",
                .text(ByteCount.text(job.outputs.reduce(0) { $0 + $1.size })), .text(job.failure ?? ""),
            ]
        }
        return list(
            .exportsTitle,
            call.table(
                [
                    .clientLabel, .typesLabel, .stateLabel, .progressLabel, .startedLabel, .endedLabel, .filesLabel,
                    .bytesLabel, .whyLabel,
                ], rows, orElse: .nothingExported), page.next(jobs, call), json: nil, call)
    }

    /// The id of an import is what its client asks for it by, and is not shown.
    @Sendable static func imports(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let jobs = try await call.desk.imports(page.limit)
        try await call.record("imports")
        let rows = page.items(jobs).map { job -> [HTML] in
            [
                .text(job.ownerID), .text(job.types.joined(separator: ", ")), .text(job.state.rawValue),
                "\(job.inputsDone) / \(job.inputs)", call.time(job.createdAt), call.time(job.finishedAt),
                "\(job.tally.stored)", "\(job.tally.refused)", .text(job.failure ?? ""),
            ]
        }
        return list(
            .importsTitle,
            call.table(
                [
                    .clientLabel, .typesLabel, .stateLabel, .filesLabel, .startedLabel, .endedLabel, .storedLabel,
                    .refusedLabel, .whyLabel,
                ], rows, orElse: .nothingImported), page.next(jobs, call), json: nil, call)
    }

    @Sendable static func peers(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let peers = try await call.desk.peers()
        let contacts = try await call.desk.trail.lastContacts(access: call.access)
        try await call.record("peers")
        let rows = page.items(peers).map { peer -> [HTML] in
            var address = peer.host.map { "\($0):\(peer.port.map(String.init) ?? "–")" } ?? ""
            if peer.host != nil, peer.tls == .off { address += " (\(call.language[.inClearText]))" }
            var known = peer.networks.map(\.description)
            if let fingerprint = peer.certificateFingerprint { known.append(fingerprint) }
            return [
                .text(peer.name), .text(peer.kind.rawValue), .text(address), .text(words(peer.may)),
                .text(words(peer.offers)), contact(peer, contacts, call),
                .text(known.isEmpty ? call.language[.nameLabel] : known.joined(separator: ", ")),
                OperationsCall.link(
                    OperationsCall.path("/operations/audit", [("who", peer.name)]), call.language[.auditRowsLabel]),
            ]
        }
        return list(
            .peersTitle,
            call.table(
                [
                    .nameLabel, .kindLabel, .addressLabel, .mayLabel, .offersLabel, .contactLabel,
                    .certificateBoundLabel,
                    .auditTitle,
                ], rows, orElse: .noPeers), page.next(peers, call), json: nil, call)
    }

    /// What names them on a wire, the system that their identifiers are kept under, and what to do about it.
    @Sendable static func authorities(_ call: OperationsCall) async throws -> Response {
        let page = try ListPage(call.query)
        let authorities = try await call.desk.authorities(page.limit)
        try await call.record("authorities")
        let rows = page.items(authorities).map { authority -> [HTML] in
            [
                .text(authority.namespace ?? ""), .text(authority.universalID ?? ""),
                .text(authority.universalIDType ?? ""), .text(authority.system),
            ]
        }
        return list(
            .authoritiesTitle,
            .all([
                call.table(
                    [.namespaceLabel, .universalIDLabel, .universalIDTypeLabel, .keptUnderLabel], rows,
                    orElse: .noUnknownAuthorities),
                rows.isEmpty ? .none : .element("p", [.init("class", "quiet")], call.text(.authoritiesHint)),
            ]),
            page.next(authorities, call), json: nil, call)
    }

    /// When a peer was last let in, as far back as one search of the audit trail looks.
    private static func contact(_ peer: Peer, _ times: [Principal: Int64], _ call: OperationsCall) -> HTML {
        let kind: Principal.Kind = peer.kind == .applicationEntity ? .applicationEntity : .messageSender
        return times[Principal(kind: kind, id: peer.name)].map { .text(PageTime.text($0)) } ?? call.text(.notOfLate)
    }

    /// Words in the order in which they are documented.
    private static func words<Word: RawRepresentable<String> & Hashable & CaseIterable>(_ words: Set<Word>) -> String {
        Word.allCases.filter(words.contains).map(\.rawValue).joined(separator: ", ")
    }

    private static func list(
        _ title: PageText, _ table: HTML, _ next: HTML, json: String?, filter: [HTML] = [], _ call: OperationsCall
    ) -> Response {
        call.answer(
            call.language[title],
            [
                filter.isEmpty ? .none : call.forms.filter(call.request.path, filter),
                .element("section", [], table, next, json.map { call.jsonBeside($0) } ?? .none),
            ])
    }
}

/// Sizes for people.
enum ByteCount {
    /// `0 B`, `1023 B`, `1.5 KiB`, `20.0 GiB`.
    static func text(_ bytes: Int64) -> String {
        var (value, units) = (Double(max(0, bytes)), ["KiB", "MiB", "GiB", "TiB", "PiB"][...])
        guard value >= 1024 else { return "\(Int64(value)) B" }
        var unit = ""
        while value >= 1024, let next = units.popFirst() {
            value /= 1024
            unit = next
        }
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}
