importScripts('https://kizuna.example/sdk/kizuna-sw.js');
