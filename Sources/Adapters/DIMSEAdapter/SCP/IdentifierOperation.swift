import DICOMData
import DICOMNetwork

/// One request with an identifier: it is collected, read and handed to the service.
struct IdentifierOperation: ServiceOperation {
    let request: DIMSERequest
    let answer: @Sendable (DIMSERequest, DataSet, Responder) async throws -> Void
    private let collector: IdentifierCollector

    init(
        _ request: DIMSERequest, bytesMax: Int = IdentifierCollector.bytesMax,
        answer: @escaping @Sendable (DIMSERequest, DataSet, Responder) async throws -> Void
    ) {
        self.request = request
        self.answer = answer
        collector = IdentifierCollector(bytesMax: bytesMax)
    }

    func receive(_ bytes: UnsafeRawBufferPointer) { collector.append(bytes) }
    func abandon() {}

    func perform(_ responder: Responder) async throws {
        switch collector.identifier(transferSyntax: request.context.transferSyntax) {
        case .success(let identifier): try await answer(request, identifier, responder)
        case .failure(let failure): try await responder.send(failure.status)
        }
    }
}

extension Responder {
    /// A response that names the elements at fault. PS3.7 §C.4.1, Offending Element (0000,0901).
    func send(_ status: DIMSEStatus, offending tags: [DICOMData.Tag], comment: String) async throws {
        try await send(status, comment: comment) { command in
            command[.offendingElement] = tags.flatMap { tag in
                [tag.group, tag.element].flatMap {
                    [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
                }
            }
        }
    }
}

extension DataSet {
    /// In the character set of an identifier where that can say all of it, else in UTF-8. PS3.4 §C.4.1.1.3.2.
    func inCharacterSet(of identifier: DataSet) -> DataSet {
        guard identifier.characterSet != characterSet else { return self }
        var converted = self
        return converted.convert(to: identifier.characterSet) ? converted : self
    }
}
