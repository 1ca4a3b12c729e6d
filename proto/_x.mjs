import * as p from '@headrace/proto';
const bench=(name,f,n=20000)=>{for(let i=0;i<30000;i++)f();let best=1e9;for(let k=0;k<25;k++){const t=process.hrtime.bigint();for(let i=0;i<n;i++)f();best=Math.min(best,Number(process.hrtime.bigint()-t)/n)}console.log(name,best|0,'ns')};
const req={modelName:'ranker',modelVersion:'1',id:'req-000123',parameters:new Map([['priority',1n],['timeout',50000n]]),inputs:[{name:'history',datatype:'INT64',shape:[1,8],data:[Buffer.alloc(64)]},{name:'candidates',datatype:'FP32',shape:[1,6],data:[Buffer.alloc(24)]}],outputs:[{name:'scores',parameters:new Map()}]};
const b=p.writeInferRequest(req);
const which=process.argv[2];
if(!which||which==='scan')bench('scan',()=>p.scanInferRequest(b)); if(!which||which==='write')bench('write',()=>p.writeInferRequest(req));
const noparam={...req,parameters:new Map()}; const b2=p.writeInferRequest(noparam); if(!which){bench('scan no params',()=>p.scanInferRequest(b2));bench('write no params',()=>p.writeInferRequest(noparam));
bench('full decode',()=>p.inferenceService.methods.ModelInfer.request.decode(b),5000);
const x=Buffer.from('abchistorydef');
bench('latin1Slice',()=>x.latin1Slice(3,10)); bench('toString',()=>x.toString('latin1',3,10));bench('fromCharCode',()=>String.fromCharCode(x[3],x[4],x[5],x[6],x[7],x[8],x[9]));
const y=Buffer.alloc(64);bench('alloc',()=>Buffer.allocUnsafe(204));bench('set',()=>{x.set(y.subarray(0,4),0)});bench('err',()=>p.scanInferRequest(b.subarray(0,60)));}
