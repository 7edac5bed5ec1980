// Does one order with the AWS SDK for Go: ROAD BUCKET KMS-KEY|- FLAG|-, then KEY FROM TO for each object.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const partBytes = 5 * 1024 * 1024

type client struct {
	*s3.Client
	ctx    context.Context
	bucket *string
	sse    types.ServerSideEncryption
	kmsKey *string
	flag   *bool
}

func main() {
	log.SetFlags(0)
	road, objects := os.Args[1], os.Args[5:]
	c := newClient(os.Args[2], os.Args[3], os.Args[4])
	for i := 0; i+2 < len(objects); i += 3 {
		c.doOne(road, aws.String(objects[i]), objects[i+1], objects[i+2])
	}
}

func newClient(bucket, kmsKey, flag string) client {
	ctx := context.Background()
	settings := must(config.LoadDefaultConfig(ctx))
	c := client{
		Client: s3.NewFromConfig(settings, func(o *s3.Options) { o.UsePathStyle = true }),
		ctx:    ctx,
		bucket: &bucket,
	}
	if kmsKey != "-" {
		c.sse, c.kmsKey = types.ServerSideEncryptionAwsKms, &kmsKey
	}
	if flag != "-" {
		c.flag = aws.Bool(true)
	}
	return c
}

func (c client) doOne(road string, key *string, from, to string) {
	body := must(os.ReadFile(from))
	switch road {
	case "put", "presigned-read":
		c.put(key, body, c.flag)
	case "multipart":
		c.multipart(key, body)
	case "copy":
		c.copy(key, body)
	case "update":
		c.update(key, body)
	case "presigned":
		signed := must(s3.NewPresignClient(c.Client).PresignPutObject(c.ctx, c.putInput(key, nil, c.flag)))
		fmt.Println("signed put", signed.URL)
	default:
		log.Fatalf("unknown road %s", road)
	}
	if road == "presigned" || road == "presigned-read" {
		input := &s3.GetObjectInput{Bucket: c.bucket, Key: key}
		signed := must(s3.NewPresignClient(c.Client).PresignGetObject(c.ctx, input))
		fmt.Println("signed get", signed.URL)
		return
	}
	got := must(c.GetObject(c.ctx, &s3.GetObjectInput{Bucket: c.bucket, Key: key}))
	say("get", got.ServerSideEncryption, got.SSEKMSKeyId, got.BucketKeyEnabled)
	check(os.WriteFile(to, must(io.ReadAll(got.Body)), 0o600))
}

func (c client) putInput(key *string, body io.Reader, flag *bool) *s3.PutObjectInput {
	return &s3.PutObjectInput{
		Bucket: c.bucket, Key: key, Body: body,
		ServerSideEncryption: c.sse, SSEKMSKeyId: c.kmsKey, BucketKeyEnabled: flag,
	}
}

func (c client) put(key *string, body []byte, flag *bool) {
	out := must(c.PutObject(c.ctx, c.putInput(key, bytes.NewReader(body), flag)))
	say("put", out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled)
}

func (c client) multipart(key *string, body []byte) {
	created := must(c.CreateMultipartUpload(c.ctx, &s3.CreateMultipartUploadInput{
		Bucket: c.bucket, Key: key,
		ServerSideEncryption: c.sse, SSEKMSKeyId: c.kmsKey, BucketKeyEnabled: c.flag,
	}))
	var parts []types.CompletedPart
	for start := 0; start < len(body); start += partBytes {
		number := aws.Int32(int32(len(parts) + 1))
		part := must(c.UploadPart(c.ctx, &s3.UploadPartInput{
			Bucket: c.bucket, Key: key, UploadId: created.UploadId, PartNumber: number,
			Body: bytes.NewReader(body[start:min(start+partBytes, len(body))]),
		}))
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: part.ETag})
	}
	out := must(c.CompleteMultipartUpload(c.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: c.bucket, Key: key, UploadId: created.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}))
	say("put", out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled)
}

func (c client) copy(key *string, body []byte) {
	source := *key + "-source"
	plain := client{Client: c.Client, ctx: c.ctx, bucket: c.bucket}
	must(plain.PutObject(c.ctx, plain.putInput(&source, bytes.NewReader(body), nil)))
	out := must(c.CopyObject(c.ctx, &s3.CopyObjectInput{
		Bucket: c.bucket, Key: key, CopySource: aws.String(*c.bucket + "/" + url.PathEscape(source)),
		ServerSideEncryption: c.sse, SSEKMSKeyId: c.kmsKey, BucketKeyEnabled: c.flag,
	}))
	say("put", out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled)
}

func (c client) update(key *string, body []byte) {
	c.put(key, body, nil)
	kms := types.SSEKMSEncryption{KMSKeyArn: c.kmsKey, BucketKeyEnabled: c.flag}
	must(c.UpdateObjectEncryption(c.ctx, &s3.UpdateObjectEncryptionInput{
		Bucket: c.bucket, Key: key, ObjectEncryption: &types.ObjectEncryptionMemberSSEKMS{Value: kms},
	}))
}

func say(operation string, sse types.ServerSideEncryption, key *string, flag *bool) {
	fmt.Print(operation, " said ", sse, " ", aws.ToString(key))
	if flag != nil {
		fmt.Print(" ", *flag)
	}
	fmt.Println()
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
