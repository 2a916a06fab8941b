import NIOCore

/// Turns the bytes of one connection into PDUs.
///
/// The owner appends what it receives to one buffer and calls ``next(from:)`` until it returns nil. However the
/// stream is cut, the PDUs are the same. After an error the stream has no known PDU boundary any more: the error is
/// thrown once, and everything that follows is consumed and ignored, as Sta13 needs it. PS3.8 §9.3.
package struct PDUDecoder: Sendable {
    private let limits: NetworkLimits
    private var hasFailed = false

    package init(limits: NetworkLimits = NetworkLimits()) {
        self.limits = limits
    }

    /// Takes the next whole PDU off the front of `buffer`; nil when more bytes are needed.
    ///
    /// The length is judged as soon as the 6 bytes of the header are there, before anything waits for the rest.
    package mutating func next(from buffer: inout ByteBuffer) throws(PDUError) -> PDU? {
        guard !hasFailed else {
            buffer.moveReaderIndex(to: buffer.writerIndex)
            return nil
        }
        do throws(PDUError) {
            guard
                let typeByte = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
                let length = buffer.getInteger(at: buffer.readerIndex + 2, as: UInt32.self)
            else { return nil }
            let type = try checked(typeByte, length: length)
            // At most 1 MiB by the check above, so the sum cannot overflow.
            guard buffer.readableBytes >= 6 + Int(length) else { return nil }
            buffer.moveReaderIndex(forwardBy: 6)
            guard let body = buffer.readSlice(length: Int(length)) else { return nil }
            return try decode(type, body)
        } catch {
            hasFailed = true
            buffer.moveReaderIndex(to: buffer.writerIndex)
            throw error
        }
    }

    /// The type of a header, once its length is possible for that type.
    private func checked(_ typeByte: UInt8, length: UInt32) throws(PDUError) -> PDU.TypeCode {
        guard let type = PDU.TypeCode(rawValue: typeByte) else { throw .unrecognizedType(typeByte) }
        switch type {
        case .data:
            if length > limits.dataPDULengthMax {
                throw .lengthOverLimit(type: typeByte, length: length, limit: limits.dataPDULengthMax)
            }
        case .associateRequest, .associateAccept:
            if length > limits.associatePDULengthMax {
                throw .lengthOverLimit(type: typeByte, length: length, limit: limits.associatePDULengthMax)
            }
        case .associateReject, .releaseRequest, .releaseResponse, .abort:
            if length != NetworkLimits.fixedPDULength { throw .lengthInvalid(type: typeByte, length: length) }
        }
        return type
    }

    private func decode(_ type: PDU.TypeCode, _ body: ByteBuffer) throws(PDUError) -> PDU {
        let start = body.readerIndex
        switch type {
        case .data: return .data(try values(body))
        case .associateRequest: return .associateRequest(try AssociateRequest(body, limits: limits))
        case .associateAccept: return .associateAccept(try AssociateAccept(body, limits: limits))
        case .releaseRequest: return .releaseRequest
        case .releaseResponse: return .releaseResponse
        case .associateReject:
            return .associateReject(
                AssociateReject(
                    result: body.getInteger(at: start + 1) ?? 0, source: body.getInteger(at: start + 2) ?? 0,
                    reason: body.getInteger(at: start + 3) ?? 0))
        case .abort:
            return .abort(
                Abort(source: body.getInteger(at: start + 2) ?? 0, reason: body.getInteger(at: start + 3) ?? 0))
        }
    }

    /// The PDVs of a P-DATA-TF: length (4), context (1), control header (1), fragment. PS3.8 §9.3.5.1, §E.2.
    private func values(_ whole: ByteBuffer) throws(PDUError) -> [PresentationDataValue] {
        var body = whole
        let offset = { (body: ByteBuffer) in 6 + body.readerIndex - whole.readerIndex }
        var values: [PresentationDataValue] = []
        while body.readableBytes > 0 {
            let start = offset(body)
            guard let length = body.readInteger(as: UInt32.self) else { throw .itemOverrun(offset: start) }
            guard length >= 2 else { throw .valueLengthTooSmall(offset: start) }
            guard UInt64(length) <= UInt64(body.readableBytes),
                let (contextID, control) = body.readMultipleIntegers(as: (UInt8, UInt8).self),
                let fragment = body.readSlice(length: Int(length) - 2)
            else { throw .itemOverrun(offset: start) }
            guard values.count < limits.valuesPerPDUMax else { throw .valueCount(values.count + 1) }
            // Bits 2 to 7 are reserved: sent as 0, not tested on receipt.
            values.append(
                PresentationDataValue(
                    contextID: contextID, isCommand: control & 1 != 0, isLast: control & 2 != 0, fragment: fragment))
        }
        guard !values.isEmpty else { throw .valueCount(0) }
        return values
    }
}
