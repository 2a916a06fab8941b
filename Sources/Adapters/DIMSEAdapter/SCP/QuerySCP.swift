import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Query/Retrieve C-FIND, Patient Root and Study Root, at every level: one pending response for each match.
/// PS3.4 §C.4.1.
package struct QuerySCP: ServiceClassProvider {
    /// Matches that are asked of the index at a time: few at first, so that the first are told soon, then twice as many
    /// each time, because what stood on the pages before is passed over again.
    static let pageCountFirst = 500
    static let pageCountMax = 10_000

    /// Who may query.
    package let role = Peer.Role.query
    private let index: any ImagingIndex
    private let audit: any AuditTrail
    private let archives: ArchiveSearch?
    private let matchesMax: Int
    /// Between two looks whether a query that waits for archives was cancelled.
    private static let cancelCheck = Duration.milliseconds(200)

    /// - Parameters:
    ///   - archives: asked too, while the index is read; what they have comes last. An archive that does not answer makes
    ///     no failure of the query.
    ///   - matchesMax: matches of one query, and studies looked at for its patients; beyond it the query ends with A700H.
    package init(
        index: any ImagingIndex, audit: any AuditTrail, archives: ArchiveSearch? = nil, matchesMax: Int = 100_000
    ) {
        self.index = index
        self.archives = archives
        self.audit = audit
        self.matchesMax = matchesMax
    }

    /// Relational queries, combined date and time matching and fuzzy matching of names are had by negotiation; timezone
    /// adjustment and enhanced multi-frame conversion are not. PS3.4 Table C.5-1.
    package var abstractSyntaxes: [String: SupportedAbstractSyntax] {
        let support = SupportedAbstractSyntax(
            transferSyntaxes: TransferSyntax.ofIdentifiers, extendedNegotiationMask: [1, 1, 1, 0, 0])
        return [UID.patientRootFind: support, UID.studyRootFind: support]
    }

    /// One C-FIND.
    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        guard request.message.field == .cFindRequest else { return FixedAnswer(status: .unrecognizedOperation) }
        guard request.message.hasDataSet else { return FixedAnswer(status: .dataSetDoesNotMatchSOPClass) }
        return IdentifierOperation(request, answer: answer)
    }

    private func answer(_ request: DIMSERequest, _ identifier: DataSet, _ responder: Responder) async throws {
        let query: QueryIdentifier
        do throws(IdentifierProblem) {
            query = try QueryIdentifier(
                identifier, root: request.context.abstractSyntax == UID.patientRootFind ? .patient : .study,
                options: QueryIdentifier.Options(
                    isRelational: request.agreed(0), combinesDateAndTime: request.agreed(1), isFuzzy: request.agreed(2))
            )
        } catch {
            return try await responder.send(
                .dataSetDoesNotMatchSOPClass, offending: [error.tag], comment: error.comment)
        }
        guard let syntax = TransferSyntax(uid: request.context.transferSyntax) else {
            return try await responder.send(.cannotUnderstand)
        }
        let access = request.association.access
        do {
            // Fails closed: what cannot be audited is not shown.
            try await audit.record(
                AuditRecord(
                    category: .query, interaction: "C-FIND", action: .execute, outcome: .success, access: access,
                    entity: query.level.rawValue.lowercased(), query: query.keys.auditText))
        } catch {
            return try await responder.send(.outOfResources, comment: "store not available")
        }
        let answering = Answering(
            query: query, identifier: identifier, encoder: DataSetEncoder(transferSyntax: syntax),
            retrieveAETitle: request.association.calledAETitle.value, responder: responder)
        try await responder.send(try await run(query, request.association, answering))
    }

    /// Sends every match; the final status.
    private func run(
        _ query: QueryIdentifier, _ association: AssociationInfo, _ answering: Answering
    ) async throws -> DIMSEStatus {
        async let remote = remote(query, association, answering.responder)
        var seen: Set<String> = []
        var offset = 0
        var pageCount = Self.pageCountFirst
        while true {
            if answering.responder.isCancelled { return .cancelled }
            let page: StudyMatches
            do {
                page = try await index.studies(
                    StudyQuery(
                        level: query.level.ofIndex, keys: query.keys, limit: min(pageCount, matchesMax - offset),
                        offset: offset), access: association.access)
            } catch let error as StoreError where error.code == .unacceptable {
                // A key with NUL: asked again it fails again.
                return .cannotUnderstand
            } catch {
                return .outOfResources
            }
            for match in page.matches {
                if answering.responder.isCancelled { return .cancelled }
                // What is stored meanwhile moves the pages; a match that stood on the last one is not told again.
                if seen.insert(match.key(at: query.level)).inserted { try await answering.send(match) }
            }
            offset += page.matches.count
            pageCount = min(pageCount * 2, Self.pageCountMax)
            guard page.hasMore, !page.matches.isEmpty else { break }
            guard offset < matchesMax else { return .outOfResources }
        }
        for match in await remote where seen.insert(match.key(at: query.level)).inserted {
            if answering.responder.isCancelled { return .cancelled }
            try await answering.send(match)
        }
        return answering.responder.isCancelled ? .cancelled : .success
    }

    /// What the archives have; what there is when the query is cancelled is nothing.
    private func remote(
        _ query: QueryIdentifier, _ association: AssociationInfo, _ responder: Responder
    ) async -> [StudyMatch] {
        guard let archives else { return [] }
        return await withTaskGroup(of: [StudyMatch].self) { group in
            group.addTask {
                await archives.find(
                    query.level.ofIndex, query.keys, among: association.archives, access: association.access
                ).matches
            }
            group.addTask {
                while !responder.isCancelled, !Task.isCancelled { try? await Task.sleep(for: Self.cancelCheck) }
                return []
            }
            let found = await group.next() ?? []
            group.cancelAll()
            return found
        }
    }

    /// How matches of one query are told.
    private struct Answering {
        let query: QueryIdentifier
        let identifier: DataSet
        let encoder: DataSetEncoder
        let retrieveAETitle: String
        let responder: Responder

        func send(_ match: StudyMatch) async throws {
            let answer = query.response(for: match, retrieveAETitle: retrieveAETitle).inCharacterSet(of: identifier)
            try await responder.send(
                query.hasUnsupportedKeys ? .pendingKeysUnsupported : .pending, dataSet: try encoder.encode(answer))
        }
    }
}

extension StudyMatch {
    /// Of what matched.
    private var uid: String {
        instance?.sopInstanceUID ?? series?.seriesInstanceUID ?? study.studyInstanceUID
    }

    /// What is answered once.
    fileprivate func key(at level: QueryRetrieveLevel) -> String {
        level == .patient ? QueryIdentifier.patient(of: self) : uid
    }
}

extension TransferSyntax {
    /// Those in which identifiers are taken and answered, the preferred one first.
    static var ofIdentifiers: [String] {
        [explicitVRLittleEndian, implicitVRLittleEndian, deflatedExplicitVRLittleEndian, explicitVRBigEndian].map(\.uid)
    }
}

extension DIMSERequest {
    /// Whether an option of the SOP class was agreed on, by its place in the application information. PS3.4 §C.5.1.1.
    func agreed(_ index: Int) -> Bool {
        let agreed = invoker?.negotiated.extendedNegotiations.first { $0.sopClassUID == context.abstractSyntax }
        return agreed.map { index < $0.information.count && $0.information[index] == 1 } ?? false
    }
}
