/// A context as the requestor proposes it. PS3.8 §9.3.2.2.
package struct ProposedPresentationContext: Sendable, Equatable {
    /// Odd, 1 to 255, unique in its association.
    package var id: UInt8
    package var abstractSyntax: String
    /// In the order of the request; the standard gives the order no meaning.
    package var transferSyntaxes: [String]

    package init(id: UInt8, abstractSyntax: String, transferSyntaxes: [String]) {
        self.id = id
        self.abstractSyntax = abstractSyntax
        self.transferSyntaxes = transferSyntaxes
    }
}

/// The acceptor's answer to one proposed context. PS3.8 §9.3.3.2.
package struct PresentationContextResult: Sendable, Equatable {
    /// PS3.8 Table 9-18. A value from a peer outside 0 to 4 reads as `noReason`.
    package enum Result: UInt8, Sendable {
        case acceptance = 0
        case userRejection = 1
        case noReason = 2
        case abstractSyntaxNotSupported = 3
        case transferSyntaxesNotSupported = 4
    }
    package var id: UInt8
    package var result: Result
    /// Means something only when accepted; otherwise any syntax, often one of the proposed, may stand here.
    package var transferSyntax: String

    package init(id: UInt8, result: Result, transferSyntax: String) {
        self.id = id
        self.result = result
        self.transferSyntax = transferSyntax
    }
}

/// A context that both sides agreed on, and who may do what on it. PS3.7 §D.3.3.4.
package struct PresentationContext: Sendable, Equatable {
    package let id: UInt8
    package let abstractSyntax: String
    package let transferSyntax: String
    /// The requestor of the association may invoke operations as SCU; true by default.
    package let requestorIsSCU: Bool
    /// The requestor of the association may be invoked as SCP (C-GET, storage commitment); false by default.
    package let requestorIsSCP: Bool

    package init(
        id: UInt8, abstractSyntax: String, transferSyntax: String, requestorIsSCU: Bool = true,
        requestorIsSCP: Bool = false
    ) {
        self.id = id
        self.abstractSyntax = abstractSyntax
        self.transferSyntax = transferSyntax
        self.requestorIsSCU = requestorIsSCU
        self.requestorIsSCP = requestorIsSCP
    }

    /// Whether a side may ask for this on the context: operations are asked by the SCU, notifications by the SCP.
    /// PS3.7 §7.5, §D.3.3.4.
    package func permits(_ field: CommandField, byRequestor: Bool) -> Bool {
        let isAskedBySCU = field != .nEventReportRequest
        return byRequestor == isAskedBySCU ? requestorIsSCU : requestorIsSCP
    }
}
