import COpenSSL

/// Multiples of a public key's point and of the base point of its curve, with which ECDSA signatures are verified without
/// doubling: libcrypto 3.0 has no fast arithmetic for P-384, and doubling is most of what a verification costs.
///
/// The arithmetic is libcrypto's, of numbers modulo the order and of points; the equation is written out here, because
/// libcrypto looks for kept multiples only behind a curve's own base point. All of it is public, so it need not take the
/// same time for each signature. *Spec:* FIPS 186-5 §6.4.2; SEC 1 §4.1.4. Judged against `EVP_DigestVerify` and the
/// Wycheproof vectors in `ECDSAVerificationTests`.
final class ECMultiples: Sendable {
    private let curve: EllipticCurve
    private let base: PointMultiples
    private let key: PointMultiples

    private static let base384 = PointMultiples(.p384, point: nil)

    /// - Parameter point: 0x04, x, y; a point that was checked to be on the curve.
    /// - Returns: nil where libcrypto keeps no multiples.
    init?(_ curve: EllipticCurve, point: [UInt8]) {
        guard curve == .p384, let base = Self.base384, let key = PointMultiples(curve, point: point) else { return nil }
        self.curve = curve
        self.base = base
        self.key = key
    }

    /// Whether a signature, r and s of the curve's length each, is the key's over a digest that is as long as the order.
    func verifies(_ signature: [UInt8], of digest: [UInt8]) -> Bool {
        let half = curve.coordinateBytes
        guard signature.count == 2 * half, digest.count == half, let context = BN_CTX_new() else { return false }
        defer { BN_CTX_free(context) }
        BN_CTX_start(context)
        defer { BN_CTX_end(context) }
        let numbers = (0..<6).map { _ in BN_CTX_get(context) }
        // What runs out of memory gives nil, from then on.
        guard let last = numbers.last, last != nil else { return false }
        let (r, s, e, u1, u2, x) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
        let order = EC_GROUP_get0_order(base.group)
        let isRead = signature.withUnsafeBufferPointer { bytes in
            BN_bin2bn(bytes.baseAddress, Int32(half), r) != nil
                && BN_bin2bn(bytes.baseAddress.map { $0 + half }, Int32(half), s) != nil
        }
        guard isRead, BN_bin2bn(digest, Int32(half), e) != nil, BN_is_zero(r) == 0, BN_is_zero(s) == 0,
            BN_cmp(r, order) < 0, BN_cmp(s, order) < 0
        else { return false }
        // u1 = e / s, u2 = r / s; the point is u1 times the base and u2 times the key.
        guard BN_mod_inverse(s, s, order, context) != nil, BN_mod_mul(u1, e, s, order, context) == 1,
            BN_mod_mul(u2, r, s, order, context) == 1, let sum = base.times(u1, context)
        else { return false }
        defer { EC_POINT_free(sum) }
        guard let part = key.times(u2, context) else { return false }
        defer { EC_POINT_free(part) }
        guard EC_POINT_add(base.group, sum, sum, part, context) == 1,
            EC_POINT_is_at_infinity(base.group, sum) == 0,
            EC_POINT_get_affine_coordinates(base.group, sum, x, nil, context) == 1,
            BN_nnmod(x, x, order, context) == 1
        else { return false }
        return BN_cmp(x, r) == 0
    }
}

/// One point of a curve with its multiples.
private final class PointMultiples: Sendable {
    /// The curve, with the point in the place of the base point, behind which libcrypto keeps multiples.
    private let curve: LibcryptoObject
    private let zero: LibcryptoObject
    var group: OpaquePointer { curve.address }

    /// - Parameter point: 0x04, x, y; nil for the curve's base point.
    init?(_ curve: EllipticCurve, point: [UInt8]?) {
        guard let named = EC_GROUP_new_by_curve_name(curve.numericID) else { return nil }
        defer { EC_GROUP_free(named) }
        guard let zero = BN_new() else { return nil }
        self.zero = LibcryptoObject(zero, freedBy: BN_free)
        guard let group = Self.group(like: named, point: point) else { return nil }
        self.curve = LibcryptoObject(group, freedBy: EC_GROUP_free)
    }

    /// A copy of a curve made of its numbers, with the point as its base and its multiples kept.
    private static func group(like named: OpaquePointer, point: [UInt8]?) -> OpaquePointer? {
        let (p, a, b) = (BN_new(), BN_new(), BN_new())
        defer { for number in [p, a, b] { BN_free(number) } }
        guard EC_GROUP_get_curve(named, p, a, b, nil) == 1, let group = EC_GROUP_new_curve_GFp(p, a, b, nil) else {
            return nil
        }
        let place = EC_POINT_new(group)
        defer { EC_POINT_free(place) }
        let bytes = point ?? basePoint(named)
        guard EC_POINT_oct2point(group, place, bytes, bytes.count, nil) == 1,
            EC_GROUP_set_generator(group, place, EC_GROUP_get0_order(named), BN_value_one()) == 1,
            hilum_ec_group_precompute(group) == 1
        else {
            EC_GROUP_free(group)
            ERR_clear_error()
            return nil
        }
        return group
    }

    private static func basePoint(_ group: OpaquePointer) -> [UInt8] {
        let point = EC_GROUP_get0_generator(group)
        let count = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, nil, 0, nil)
        var bytes = [UInt8](repeating: 0, count: count)
        _ = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, &bytes, count, nil)
        return bytes
    }

    /// The point times a number below the order, for the caller to free; nil when libcrypto fails.
    func times(_ number: OpaquePointer?, _ context: OpaquePointer) -> OpaquePointer? {
        guard let result = EC_POINT_new(group) else { return nil }
        // With a second product, here of zero, libcrypto takes the way of the kept multiples. The way it takes for one
        // product alone hides the number, which is public here.
        guard EC_POINT_mul(group, result, number, EC_GROUP_get0_generator(group), zero.address, context) == 1 else {
            EC_POINT_free(result)
            return nil
        }
        return result
    }
}
