import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.ObjectEncryption;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

/** Does one order with the AWS SDK for Java: ROAD BUCKET KMS-KEY|- FLAG|-, then KEY FROM TO for each object. */
public final class Client {
    private static final int PART_BYTES = 5 * 1024 * 1024;
    private static final String KMS = "aws:kms";
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private final S3Client s3 = S3Client.builder().forcePathStyle(true).build();
    private final String bucket;
    private final String sse;
    private final String kmsKey;
    private final Boolean flag;

    private Client(String bucket, String kmsKey, String flag) {
        this.bucket = bucket;
        this.sse = kmsKey.equals("-") ? null : KMS;
        this.kmsKey = kmsKey.equals("-") ? null : kmsKey;
        this.flag = flag.equals("-") ? null : true;
    }

    public static void main(String[] args) throws IOException {
        Client client = new Client(args[1], args[2], args[3]);
        try {
            for (int i = 4; i + 2 < args.length; i += 3) {
                client.doOne(args[0], args[i], Path.of(args[i + 1]), Path.of(args[i + 2]));
            }
        } catch (S3Exception refused) {
            // Its message has no code.
            System.err.println(refused.awsErrorDetails().errorCode() + ": " + refused.getMessage());
            System.exit(1);
        }
    }

    private void doOne(String road, String key, Path from, Path to) throws IOException {
        switch (road) {
            case "put", "presigned-read" -> put(key, from, flag);
            case "multipart" -> multipart(key, from);
            case "copy" -> copy(key, from);
            case "update" -> update(key, from);
            case "presigned" -> OUT.println("signed put " + signPut(key));
            default -> throw new IllegalArgumentException(road);
        }
        if (road.startsWith("presigned")) {
            OUT.println("signed get " + signGet(key));
            return;
        }
        var bytes = s3.getObjectAsBytes(get -> get.bucket(bucket).key(key));
        var answer = bytes.response();
        say("get", answer.serverSideEncryptionAsString(), answer.ssekmsKeyId(), answer.bucketKeyEnabled());
        Files.write(to, bytes.asByteArray());
    }

    private PutObjectRequest.Builder writing(String key, Boolean withFlag) {
        return PutObjectRequest.builder().bucket(bucket).key(key)
            .serverSideEncryption(sse).ssekmsKeyId(kmsKey).bucketKeyEnabled(withFlag);
    }

    private void put(String key, Path from, Boolean withFlag) {
        var answer = s3.putObject(writing(key, withFlag).build(), from);
        say("put", answer.serverSideEncryptionAsString(), answer.ssekmsKeyId(), answer.bucketKeyEnabled());
    }

    private void multipart(String key, Path from) throws IOException {
        String id = s3.createMultipartUpload(create -> create.bucket(bucket).key(key)
            .serverSideEncryption(sse).ssekmsKeyId(kmsKey).bucketKeyEnabled(flag)).uploadId();
        byte[] bytes = Files.readAllBytes(from);
        List<CompletedPart> parts = new ArrayList<>();
        for (int start = 0; start < bytes.length; start += PART_BYTES) {
            int number = parts.size() + 1;
            byte[] part = Arrays.copyOfRange(bytes, start, Math.min(start + PART_BYTES, bytes.length));
            String tag = s3.uploadPart(
                upload -> upload.bucket(bucket).key(key).uploadId(id).partNumber(number),
                RequestBody.fromBytes(part)).eTag();
            parts.add(CompletedPart.builder().partNumber(number).eTag(tag).build());
        }
        var answer = s3.completeMultipartUpload(complete -> complete.bucket(bucket).key(key).uploadId(id)
            .multipartUpload(upload -> upload.parts(parts)));
        say("put", answer.serverSideEncryptionAsString(), answer.ssekmsKeyId(), answer.bucketKeyEnabled());
    }

    private void copy(String key, Path from) {
        String source = key + "-source";
        s3.putObject(put -> put.bucket(bucket).key(source), from);
        var answer = s3.copyObject(copy -> copy.sourceBucket(bucket).sourceKey(source)
            .destinationBucket(bucket).destinationKey(key)
            .serverSideEncryption(sse).ssekmsKeyId(kmsKey).bucketKeyEnabled(flag));
        say("put", answer.serverSideEncryptionAsString(), answer.ssekmsKeyId(), answer.bucketKeyEnabled());
    }

    private void update(String key, Path from) {
        put(key, from, null);
        var encryption = ObjectEncryption.fromSsekms(kms -> kms.kmsKeyArn(kmsKey).bucketKeyEnabled(flag));
        s3.updateObjectEncryption(update -> update.bucket(bucket).key(key).objectEncryption(encryption));
    }

    private String signPut(String key) {
        try (S3Presigner presigner = presigner()) {
            return presigner.presignPutObject(sign -> sign.signatureDuration(Duration.ofMinutes(5))
                .putObjectRequest(writing(key, flag).build())).url().toString();
        }
    }

    private String signGet(String key) {
        try (S3Presigner presigner = presigner()) {
            return presigner.presignGetObject(sign -> sign.signatureDuration(Duration.ofMinutes(5))
                .getObjectRequest(get -> get.bucket(bucket).key(key))).url().toString();
        }
    }

    private static S3Presigner presigner() {
        return S3Presigner.builder()
            .endpointOverride(URI.create(System.getenv("AWS_ENDPOINT_URL")))
            .serviceConfiguration(S3Configuration.builder().pathStyleAccessEnabled(true).build())
            .build();
    }

    private static void say(String operation, String sse, String key, Boolean flag) {
        OUT.println(operation + " said " + sse + " " + key + (flag == null ? "" : " " + flag));
    }
}
