import NIOCore

extension PDU {
    /// Appends the whole PDU, header and body, to `buffer`. PS3.8 §9.3.
    ///
    /// Values that came from code are trusted to fit their fields: an item of more than 65,535 bytes is cut there.
    package func write(into buffer: inout ByteBuffer) {
        switch self {
        case .associateRequest(let request):
            buffer.writePDU(.associateRequest) { request.writeBody(into: &$0) }
        case .associateAccept(let accept):
            buffer.writePDU(.associateAccept) { accept.writeBody(into: &$0) }
        case .associateReject(let reject):
            buffer.writePDU(.associateReject) {
                $0.writeMultipleIntegers(UInt8(0), reject.result, reject.source, reject.reason)
            }
        case .data(let values):
            buffer.writePDU(.data) { for value in values { value.write(into: &$0) } }
        case .releaseRequest: buffer.writePDU(.releaseRequest) { $0.writeInteger(UInt32(0)) }
        case .releaseResponse: buffer.writePDU(.releaseResponse) { $0.writeInteger(UInt32(0)) }
        case .abort(let abort):
            buffer.writePDU(.abort) { $0.writeMultipleIntegers(UInt8(0), UInt8(0), abort.source, abort.reason) }
        }
    }

    /// The whole PDU in one new buffer.
    package func encoded(allocator: ByteBufferAllocator = ByteBufferAllocator()) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: 256)
        write(into: &buffer)
        return buffer
    }
}

extension ByteBuffer {
    /// Type, reserved byte, and the length of what `body` writes, in 4 bytes. PS3.8 §9.3.1.
    fileprivate mutating func writePDU(_ type: PDU.TypeCode, _ body: (inout ByteBuffer) -> Void) {
        writeMultipleIntegers(type.rawValue, UInt8(0), UInt32(0))
        let start = writerIndex
        body(&self)
        setInteger(UInt32(truncatingIfNeeded: writerIndex - start), at: start - 4)
    }

    /// Type, reserved byte, and the length of what `value` writes, in 2 bytes. PS3.8 §9.3.2.1.
    fileprivate mutating func writeItem(_ type: UInt8, _ value: (inout ByteBuffer) -> Void) {
        writeMultipleIntegers(type, UInt8(0), UInt16(0))
        let start = writerIndex
        value(&self)
        if writerIndex - start > Int(UInt16.max) { moveWriterIndex(to: start + Int(UInt16.max)) }
        setInteger(UInt16(truncatingIfNeeded: writerIndex - start), at: start - 2)
    }

    fileprivate mutating func writeItem(_ type: UInt8, text: String) { writeItem(type) { $0.writeString(text) } }

    fileprivate mutating func writeCounted(_ bytes: some Collection<UInt8>) {
        let bytes = bytes.prefix(Int(UInt16.max))
        writeInteger(UInt16(bytes.count))
        writeBytes(bytes)
    }

    fileprivate mutating func writeFixedFields(version: UInt16, called: AETitle, calling: AETitle) {
        writeMultipleIntegers(version, UInt16(0))
        writeBytes(called.wireBytes)
        writeBytes(calling.wireBytes)
        writeRepeatingByte(0, count: 32)
    }
}

extension PresentationDataValue {
    fileprivate func write(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            UInt32(truncatingIfNeeded: fragment.readableBytes + 2), contextID, Self.control(isCommand, isLast))
        buffer.writeImmutableBuffer(fragment)
    }

    /// The message control header. PS3.8 §E.2.
    static func control(_ isCommand: Bool, _ isLast: Bool) -> UInt8 { (isCommand ? 1 : 0) | (isLast ? 2 : 0) }
}

extension AssociateRequest {
    fileprivate func writeBody(into buffer: inout ByteBuffer) {
        buffer.writeFixedFields(version: protocolVersion, called: calledAETitle, calling: callingAETitle)
        buffer.writeItem(ItemType.applicationContext, text: applicationContextName)
        for context in presentationContexts {
            buffer.writeItem(ItemType.proposedContext) {
                $0.writeMultipleIntegers(context.id, UInt8(0), UInt8(0), UInt8(0))
                $0.writeItem(ItemType.abstractSyntax, text: context.abstractSyntax)
                for syntax in context.transferSyntaxes { $0.writeItem(ItemType.transferSyntax, text: syntax) }
            }
        }
        buffer.writeItem(ItemType.userInformation) { userInformation.write(into: &$0) }
    }
}

extension AssociateAccept {
    fileprivate func writeBody(into buffer: inout ByteBuffer) {
        buffer.writeFixedFields(version: protocolVersion, called: calledAETitle, calling: callingAETitle)
        buffer.writeItem(ItemType.applicationContext, text: applicationContextName)
        for context in presentationContexts {
            buffer.writeItem(ItemType.contextResult) {
                $0.writeMultipleIntegers(context.id, UInt8(0), context.result.rawValue, UInt8(0))
                $0.writeItem(ItemType.transferSyntax, text: context.transferSyntax)
            }
        }
        buffer.writeItem(ItemType.userInformation) { userInformation.write(into: &$0) }
    }
}

extension UserInformation {
    /// Sub-items in the order of their type codes, as most devices send them. PS3.7 Annex D.
    fileprivate func write(into buffer: inout ByteBuffer) {
        if let maximumLength {
            buffer.writeItem(ItemType.maximumLength) { $0.writeInteger(maximumLength) }
        }
        if !implementationClassUID.isEmpty {
            buffer.writeItem(ItemType.implementationClassUID, text: implementationClassUID)
        }
        if let window = asynchronousOperationsWindow {
            buffer.writeItem(ItemType.asynchronousOperationsWindow) {
                $0.writeMultipleIntegers(window.invoked, window.performed)
            }
        }
        for role in roleSelections {
            buffer.writeItem(ItemType.roleSelection) {
                $0.writeCounted(role.sopClassUID.utf8)
                $0.writeMultipleIntegers(UInt8(role.scu ? 1 : 0), UInt8(role.scp ? 1 : 0))
            }
        }
        if let implementationVersionName {
            buffer.writeItem(ItemType.implementationVersionName, text: implementationVersionName)
        }
        for extended in extendedNegotiations {
            buffer.writeItem(ItemType.extendedNegotiation) {
                $0.writeCounted(extended.sopClassUID.utf8)
                $0.writeBytes(extended.information)
            }
        }
        for common in commonExtendedNegotiations {
            buffer.writeItem(ItemType.commonExtendedNegotiation) {
                $0.writeCounted(common.sopClassUID.utf8)
                $0.writeCounted(common.serviceClassUID.utf8)
                var related = ByteBuffer()
                for uid in common.relatedGeneralSOPClassUIDs { related.writeCounted(uid.utf8) }
                $0.writeCounted(related.readableBytesView)
            }
        }
        if let userIdentity {
            buffer.writeItem(ItemType.userIdentity) {
                $0.writeMultipleIntegers(
                    userIdentity.kind, UInt8(userIdentity.positiveResponseRequested ? 1 : 0))
                $0.writeCounted(userIdentity.primary)
                $0.writeCounted(userIdentity.secondary)
            }
        }
        if let userIdentityResponse {
            buffer.writeItem(ItemType.userIdentityResponse) { $0.writeCounted(userIdentityResponse) }
        }
    }
}
