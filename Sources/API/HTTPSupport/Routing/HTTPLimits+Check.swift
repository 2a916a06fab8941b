import HTTPTypes

extension HTTPLimits {
    /// Checks the head of a request. Throws `.targetTooLong`, `.headersTooLarge` or `.malformed`.
    func check(_ head: HTTPRequest) throws(HTTPFailure) {
        guard (head.path?.utf8.count ?? 0) <= targetBytesMax else {
            throw HTTPFailure(
                .targetTooLong, "The request target is longer than \(targetBytesMax) bytes", closesConnection: true)
        }
        var fields = 0
        var bytes = 0
        var lengths = 0
        for field in head.headerFields {
            fields += 1
            bytes += field.name.rawName.utf8.count + field.value.utf8.count + 4
            if field.name == .contentLength { lengths += 1 }
        }
        guard fields <= headerFieldsMax, bytes <= headerBytesMax else {
            throw HTTPFailure(
                .headersTooLarge, "At most \(headerFieldsMax) header fields of \(headerBytesMax) bytes together",
                closesConnection: true)
        }
        // Two ways of saying where the body ends are the door of request smuggling. RFC 9112 §6.3.
        guard lengths <= 1, lengths == 0 || head.headerFields[.transferEncoding] == nil else {
            throw HTTPFailure(.malformed, "The length of the body is given twice", closesConnection: true)
        }
    }
}
