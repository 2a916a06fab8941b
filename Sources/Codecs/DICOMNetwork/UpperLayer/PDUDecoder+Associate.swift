import NIOCore

/// What A-ASSOCIATE-RQ and -AC have in common. PS3.8 §9.3.2, §9.3.3.
private struct AssociateBody {
    let protocolVersion: UInt16
    let called: AETitle
    let calling: AETitle
    var applicationContext = ""
    var contexts: [(reader: ItemReader, offset: Int)] = []
    var userInformation: ItemReader?

    /// Splits the body into its fixed fields and items; items of unknown type are passed over.
    init(_ body: ByteBuffer, type: PDU.TypeCode, contextItem: UInt8, limits: NetworkLimits) throws(PDUError) {
        let length = body.readableBytes
        guard length >= 68 else { throw .lengthInvalid(type: type.rawValue, length: UInt32(length)) }
        var reader = ItemReader(body, base: 6)
        protocolVersion = try reader.integer()
        _ = try reader.bytes(2)
        called = AETitle(wire: try reader.bytes(16))
        calling = AETitle(wire: try reader.bytes(16))
        _ = try reader.bytes(32)
        var hasApplicationContext = false
        while !reader.isAtEnd {
            let start = reader.offset
            var (item, value) = try reader.item()
            switch item {
            case ItemType.applicationContext:
                guard !hasApplicationContext else { throw .itemCount(type: item, offset: start) }
                hasApplicationContext = true
                applicationContext = value.restAsUID()
            case contextItem:
                guard contexts.count < limits.presentationContextsMax else {
                    throw .tooManyContexts(limit: limits.presentationContextsMax)
                }
                contexts.append((value, start))
            case ItemType.userInformation:
                guard userInformation == nil else { throw .itemCount(type: item, offset: start) }
                userInformation = value
            default: break
            }
        }
    }

    func information(isRequest: Bool) throws(PDUError) -> UserInformation {
        guard let userInformation else { return UserInformation(maximumLength: nil, implementationClassUID: "") }
        return try UserInformation(userInformation, isRequest: isRequest)
    }
}

/// Which of the 256 context identifiers were seen; refuses even, zero and repeated ones. PS3.8 §9.3.2.2.
private struct ContextIDs {
    private var seen = [Bool](repeating: false, count: 256)
    mutating func insert(_ id: UInt8, offset: Int) throws(PDUError) {
        guard id & 1 == 1, !seen[Int(id)] else { throw .contextIDInvalid(id, offset: offset) }
        seen[Int(id)] = true
    }
}

extension AssociateRequest {
    init(_ body: ByteBuffer, limits: NetworkLimits) throws(PDUError) {
        let parts = try AssociateBody(
            body, type: .associateRequest, contextItem: ItemType.proposedContext, limits: limits)
        var ids = ContextIDs()
        var contexts: [ProposedPresentationContext] = []
        contexts.reserveCapacity(parts.contexts.count)
        for (item, offset) in parts.contexts {
            var reader = item
            let id: UInt8 = try reader.integer()
            _ = try reader.bytes(3)
            try ids.insert(id, offset: offset)
            var abstractSyntax: String?
            var transferSyntaxes: [String] = []
            while !reader.isAtEnd {
                var (type, value) = try reader.item()
                switch type {
                case ItemType.abstractSyntax:
                    guard abstractSyntax == nil else { throw .itemCount(type: type, offset: offset) }
                    abstractSyntax = value.restAsUID()
                case ItemType.transferSyntax: transferSyntaxes.append(value.restAsUID())
                default: break
                }
            }
            guard let abstractSyntax else { throw .itemCount(type: ItemType.abstractSyntax, offset: offset) }
            contexts.append(
                ProposedPresentationContext(
                    id: id, abstractSyntax: abstractSyntax, transferSyntaxes: transferSyntaxes))
        }
        self.init(
            calledAETitle: parts.called, callingAETitle: parts.calling, presentationContexts: contexts,
            userInformation: try parts.information(isRequest: true))
        protocolVersion = parts.protocolVersion
        applicationContextName = parts.applicationContext
    }
}

extension AssociateAccept {
    init(_ body: ByteBuffer, limits: NetworkLimits) throws(PDUError) {
        let parts = try AssociateBody(
            body, type: .associateAccept, contextItem: ItemType.contextResult, limits: limits)
        var ids = ContextIDs()
        var contexts: [PresentationContextResult] = []
        contexts.reserveCapacity(parts.contexts.count)
        for (item, offset) in parts.contexts {
            var reader = item
            let (id, result) = (try reader.integer(UInt8.self), try reader.bytes(3)[1])
            try ids.insert(id, offset: offset)
            var transferSyntax: String?
            while !reader.isAtEnd {
                var (type, value) = try reader.item()
                guard type == ItemType.transferSyntax else { continue }
                // Only an acceptance has exactly one; in a rejection the item means nothing. PS3.8 §9.3.3.2.
                if transferSyntax != nil, result == 0 { throw .itemCount(type: type, offset: offset) }
                transferSyntax = value.restAsUID()
            }
            if transferSyntax == nil, result == 0 {
                throw .itemCount(type: ItemType.transferSyntax, offset: offset)
            }
            contexts.append(
                PresentationContextResult(
                    id: id, result: PresentationContextResult.Result(rawValue: result) ?? .noReason,
                    transferSyntax: transferSyntax ?? ""))
        }
        self.init(
            calledAETitle: parts.called, callingAETitle: parts.calling, presentationContexts: contexts,
            userInformation: try parts.information(isRequest: false))
        protocolVersion = parts.protocolVersion
        applicationContextName = parts.applicationContext
    }
}
